"""How much the choice of the best epoch flatters a validation figure, measured on halves of validation.

Validation figures scatter from epoch to epoch, and the best of them is too good: the more epochs, the more. On each
half of the groups the epoch is therefore chosen by the other half, and the figure at that epoch is judged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from src.metrics.item_groups import Groups, dealt, numbered
from src.metrics.kinds import Kind
from src.metrics.threshold import Threshold
from src.metrics.weighted import measure_of

HALVES = ("half_1", "half_2")
"""Suffixes of the objective's name in `history.csv`."""


class Judged(NamedTuple):
    """A validation figure without the choice of its epoch.

    Attributes:
        value: the mean over both halves of the figure at the epoch that is best on the other half.
        flattered: how much better than that the best epochs of the halves themselves are, >= 0.
    """

    value: float
    flattered: float


def measure_halves(
    kind: Kind,
    outputs: Tensor,
    targets: Any,
    threshold: Threshold,
    names: Sequence[str],
    metric: str,
    groups: Groups,
) -> dict[str, float]:
    """Measure outputs on each half of their groups.

    Args:
        kind: of the targets.
        outputs: (N, C).
        targets: of the N items, in the form of their kind.
        threshold: of the items.
        names: of the C columns.
        metric: its name.
        groups: of the items; an item of several groups counts for its first.

    Returns:
        By `HALVES`; empty where there are fewer than two groups, or the metric can't be computed for weighted items.
    """
    numbers, n_groups = numbered(groups)
    measure = measure_of(kind.weighted(outputs, targets, threshold, names), metric)
    if measure is None or n_groups < 2:
        return {}
    first = torch.from_numpy(dealt(n_groups, 2)[numbers[:, 0]] == 0)
    values = measure(torch.stack([first, ~first], dim=1).float())[metric]
    return dict(zip(HALVES, map(float, values), strict=True))


def judge_epochs(rows: Sequence[Mapping[str, float]], name: str, direction: str) -> Judged | None:
    """Judge the best epoch of a training.

    Args:
        rows: of `history.csv`, one for each validation.
        name: of the objective, `val/…`.
        direction: whether its best value is its `min` or `max`.

    Returns:
        `None` where an epoch has no figures on halves.
    """
    columns = [[row.get(f"{name}_{half}") for row in rows] for half in HALVES]
    if not rows or any(value is None for column in columns for value in column):
        return None
    sign = 1.0 if direction == "max" else -1.0
    first, second = (torch.tensor(column, dtype=torch.float64) for column in columns)
    value = (first[(sign * second).argmax()] + second[(sign * first).argmax()]) / 2
    best = ((sign * first).max() + (sign * second).max()) / 2
    return Judged(float(value), float(best - sign * value))
