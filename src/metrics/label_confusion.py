"""What is answered in place of a label that is missed."""

from collections.abc import Sequence

import torch
from torch import Tensor

NOTHING = "nothing"
"""Answered in place of a label where no class is answered wrongly."""


def label_confusion(answered: Tensor, truth: Tensor, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Share out each class's items among what was answered.

    An item that has the class and is given it counts for the class itself. One that misses it is shared out alike
    among the classes that are answered wrongly in it, or counts for `nothing` where there are none; which of several
    wrong answers took whose place cannot be known.

    Args:
        answered: bool (N, C).
        truth: bool (N, C).
        classes: the C names.

    Returns:
        By true class, then by class and `nothing`: its share of the items that have the true class, 0..1; all 0 where
        there are none. Each other row sums to 1.
    """
    wrong = (answered & ~truth).double()
    wrong = torch.cat([wrong, (wrong.sum(1, keepdim=True) == 0).double()], dim=1)
    wrong /= wrong.sum(1, keepdim=True)
    table = (truth & ~answered).double().T @ wrong
    table[:, :-1] += torch.diag((truth & answered).double().sum(0))
    table /= truth.sum(0).clamp(min=1)[:, None]
    return {
        name: dict(zip((*classes, NOTHING), row, strict=True))
        for name, row in zip(classes, table.tolist(), strict=True)
    }
