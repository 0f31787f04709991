"""Measures a network's outputs: the one function for epochs, trials and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from src.metrics.bootstrap import Intervals
from src.metrics.bootstrap import intervals as intervals_of
from src.metrics.item_groups import Groups
from src.metrics.kinds import Kind, Metrics


@dataclass(frozen=True)
class Measured:
    """The metrics of a split.

    Attributes:
        metrics: by name, scalars, and tables as mappings.
        intervals: 95 % intervals by metric; empty unless groups were given.
    """

    metrics: Metrics
    intervals: Intervals = field(default_factory=dict)


def measure(
    kind: Kind,
    outputs: Tensor,
    targets: Any,
    threshold: float | Tensor,
    names: Sequence[str],
    *,
    loss: float | None = None,
    groups: Groups | None = None,
) -> Measured:
    """Measure outputs against targets.

    Args:
        kind: of the targets.
        outputs: (N, C), probabilities or predictions.
        targets: of the N items, in the form of their kind.
        threshold: chosen on validation; one for all columns, or (C,).
        names: of the C columns.
        loss: of the outputs, added to the metrics unless `None`.
        groups: of the N items, for intervals over groups; `None`: no intervals.
    """
    metrics = kind.evaluate(outputs, targets, threshold, names)
    if loss is not None:
        metrics["loss"] = loss
    if groups is None:
        return Measured(metrics)
    return Measured(metrics, intervals_of(kind.weighted(outputs, targets, threshold, names), groups))
