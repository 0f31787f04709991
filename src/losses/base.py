"""The interface of losses: the targets that they fit, checks of their options, and what they learn."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn


class Loss(nn.Module):
    """A loss of logits and targets, `forward(logits, targets) -> scalar`, averaged over all elements.

    Logits of any floating type are converted to float32, also under autocast.
    """

    targets: ClassVar[tuple[str, ...]]
    """The kinds of targets it fits, among `multilabel`, `multiclass`, `regression` and `rolls`."""

    def check(self, n_classes: int) -> None:
        """Refuse options that don't fit a number of classes; called before any work.

        Raises:
            UserError: the length of an option differs from the number of classes.
        """

    def prepare(self, n_classes: int) -> None:
        """Create what depends on the number of classes, before training or loading."""

    def learned(self, names: Sequence[str]) -> dict[str, float]:
        """Return the loss's own learned values by name, for logging.

        Args:
            names: of the classes.
        """
        return {}

    def outputs(self, logits: Tensor) -> Tensor | None:
        """Return the probabilities for logits where they differ from the usual ones of the kind of targets.

        Args:
            logits: (..., C), any floating type.

        Returns:
            (..., C) in 0..1, or `None`: the usual ones.
        """
        return None

    def inverse(self, outputs: Tensor) -> Tensor | None:
        """Return logits (..., C) for `outputs` (..., C), or `None` where the method `outputs` returns `None`."""
        return None


def as_float32(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as float32 after a check that their shapes are equal, since broadcasting would hide a mistake.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)} differ in shape")
    return logits.float(), targets.float()
