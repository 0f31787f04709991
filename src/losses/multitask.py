"""A weighted sum of the mean squared errors of several axes, learned together."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from src.errors import UserError
from src.losses.base import Loss, as_float32
from src.options import checks
from src.rules import each, number


class Multitask(Loss):
    """Σ wᵢ·mseᵢ, mseᵢ being the mean of (y − t)² of axis i over items; with all w = 1/D it is `MSE`.

    Args:
        weights: w, one number >= 0 per axis, not all 0.

    Raises:
        UserError: a weight is negative or not a number, or all are 0.
    """

    targets: ClassVar[tuple[str, ...]] = ("regression",)
    weights: Tensor

    @checks("loss")
    def __init__(self, weights: Annotated[Sequence[float], each(number(0))] = (0.4, 0.3, 0.3)) -> None:
        super().__init__()
        checked = torch.tensor(weights)
        if not bool(checked.any()):
            raise UserError("loss.weights are all 0: give at least one axis a number above 0.")
        self.register_buffer("weights", checked, persistent=False)

    def check(self, n_classes: int) -> None:
        """Refuse `weights` of another length than `n_classes`.

        Raises:
            UserError: the length differs.
        """
        if len(self.weights) != n_classes:
            raise UserError(
                f"loss.weights has {len(self.weights)} numbers, but there are {n_classes} axes: give one number "
                "per axis."
            )

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted sum of mean squared errors.

        Args:
            logits: (B, D), the predicted numbers themselves, any floating type.
            targets: (B, D), numbers.

        Returns:
            Scalar, float32, ≥ 0.
        """
        logits, targets = as_float32(logits, targets)
        return (self.weights.to(logits.device) * (logits - targets).square().mean(0)).sum()
