"""The one way from a network's outputs to figures: of a trial, of a test, of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from src.metrics.kinds import Intervals, Kind, Metrics


@dataclass(frozen=True)
class Measured:
    """Figures of the items of a split.

    Attributes:
        metrics: numbers, and tables as mappings, by name.
        intervals: 95 % bootstrap intervals by metric; empty where none were asked for.
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
    intervals: bool = False,
) -> Measured:
    """Measure outputs against targets.

    Args:
        kind: of the targets.
        outputs: (N, C), probabilities or predictions.
        targets: of the N items, as the kind takes them.
        threshold: chosen on validation; one, or one for each column, (C,).
        names: of the C columns.
        loss: of the outputs, if it is known; it becomes a metric.
        intervals: whether bootstrap intervals are wanted.
    """
    metrics = kind.evaluate(outputs, targets, threshold, names)
    if loss is not None:
        metrics["loss"] = loss
    return Measured(metrics, kind.intervals(outputs, targets, threshold, names) if intervals else {})
