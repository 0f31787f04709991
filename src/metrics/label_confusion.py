"""Confusion between labels: what is predicted instead of a missed label."""

from collections.abc import Sequence

import torch
from torch import Tensor

NOTHING = "nothing"
"""Stands for an item in which a label is missed and no other one is wrongly predicted."""


def label_confusion(answered: Tensor, truth: Tensor, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Distribute the items of each class over the predicted classes.

    An item in which the class is found counts for the class itself. An item in which it is missed is distributed
    evenly over the classes that are wrongly predicted in it, or counts for `nothing` where there are none: which wrong
    prediction replaces which label can't be known.

    Args:
        answered: bool (N, C), predicted labels.
        truth: bool (N, C).
        classes: the C names.

    Returns:
        By true class, then by predicted class and `nothing`: its share of the items with the true class, 0..1. Rows sum
        to 1; the row of a class without items is 0.
    """
    # Each item's wrong predictions and, in the last column, `nothing`, as shares: (N, C + 1).
    wrong = (answered & ~truth).double()
    wrong = torch.cat([wrong, (wrong.sum(1, keepdim=True) == 0).double()], dim=1)
    wrong /= wrong.sum(1, keepdim=True)
    # (C, C + 1): missed items go to the wrong predictions, found ones to the diagonal.
    table = (truth & ~answered).double().T @ wrong
    table[:, :-1] += torch.diag((truth & answered).double().sum(0))
    table /= truth.sum(0).clamp(min=1)[:, None]
    return {
        name: dict(zip((*classes, NOTHING), row, strict=True))
        for name, row in zip(classes, table.tolist(), strict=True)
    }
