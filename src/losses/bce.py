"""Binary cross-entropy with logits, optionally weighted to balance rare classes."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from src.errors import UserError
from src.losses.base import Loss, as_float32
from src.options import checks
from src.rules import Rule, each, null, number, one_of

POS_WEIGHT = Rule(
    "null, balanced, or one number from 0 for each class", (null() | one_of("none") | each(number(0))).read
)


class BCE(Loss):
    """Mean of −[w·t·log σ(z) + (1 − t)·log(1 − σ(z))] over items and classes.

    Args:
        pos_weight: w, one non-negative number per class; `None` or `"none"`: 1 for all. Where the configuration says
            `balanced`, the trial passes the result of `balanced_pos_weight`.

    Raises:
        UserError: a weight is negative or not a number, or `pos_weight` is another string.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "rolls")
    pos_weight: Tensor | None

    @checks("loss")
    def __init__(self, pos_weight: Annotated[Sequence[float] | str | None, POS_WEIGHT] = None) -> None:
        super().__init__()
        if pos_weight == "none":
            pos_weight = None
        weights = None
        if pos_weight is not None:
            weights = torch.tensor(pos_weight)
        self.register_buffer("pos_weight", weights, persistent=False)

    def check(self, n_classes: int) -> None:
        """Refuse a `pos_weight` of another length than `n_classes`.

        Raises:
            UserError: the length differs.
        """
        if self.pos_weight is not None and len(self.pos_weight) != n_classes:
            raise UserError(
                f"loss.pos_weight has {len(self.pos_weight)} numbers, but there are {n_classes} classes: "
                "give one number per class, or balanced."
            )

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the binary cross-entropy.

        Args:
            logits: (..., C), any floating type.
            targets: (..., C), 0 or 1 of any type.

        Returns:
            Scalar, float32, ≥ 0.
        """
        logits, targets = as_float32(logits, targets)
        weights = None if self.pos_weight is None else self.pos_weight.to(logits.device)
        return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)


def balanced_pos_weight(targets: Tensor) -> list[float]:
    """Return negatives / positives of each class, with which both have the same weight in the loss.

    Use the training split only. A class that is always or never present has nothing to balance and gets 1: a weight
    of 0 would leave it untrained, and an infinite one would make the loss infinite.

    Args:
        targets: (N, C), 0 or 1 of any type.

    Returns:
        C positive numbers.
    """
    positives = targets.double().sum(0)
    negatives = len(targets) - positives
    both = (positives > 0) & (negatives > 0)
    weights: list[float] = torch.where(both, negatives / positives, 1.0).tolist()
    return weights
