"""What every loss answers: which targets it fits, whether its options fit the classes, and what it learns."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn


class Loss(nn.Module):
    """A loss of logits and targets, `forward(logits, targets) -> scalar`, averaged over all elements.

    Logits of any floating type are computed with in float32, under autocast too.
    """

    targets: ClassVar[tuple[str, ...]]
    """The kinds of targets it fits, among `multilabel`, `multiclass`, `regression` and `rolls`."""

    def check(self, n_classes: int) -> None:
        """Refuse options that do not fit a number of classes; called before any work.

        Raises:
            UserError: an option is of another length than the classes are.
        """

    def prepare(self, n_classes: int) -> None:
        """Make what depends on the number of classes, before it is trained or loaded."""

    def learned(self, names: Sequence[str]) -> dict[str, float]:
        """Give what the loss itself has learned, by name, to be logged.

        Args:
            names: of the classes.
        """
        return {}

    def outputs(self, logits: Tensor) -> Tensor | None:
        """Probabilities that the logits stand for where they are not those of the kind of targets.

        Args:
            logits: (..., C), any floating type.

        Returns:
            (..., C) in 0..1, or None: those of the kind of targets.
        """
        return None

    def inverse(self, outputs: Tensor) -> Tensor | None:
        """Logits (..., C) that stand for `outputs` (..., C), or None where that method gives None."""
        return None


def as_float32(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float32, after a check that they have the same shape, since broadcasting would hide a mistake.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)} differ in shape")
    return logits.float(), targets.float()
