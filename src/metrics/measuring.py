"""Measures a network's outputs: the one function for epochs, trials and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from src.metrics.kinds import Intervals, Kind, Metrics


@dataclass(frozen=True)
class Measured:
    """The metrics of a split.

    Attributes:
        metrics: by name, scalars, and tables as mappings.
        intervals: 95 % bootstrap intervals by metric; empty unless requested.
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
        targets: of the N items, in the form of their kind.
        threshold: chosen on validation; one for all columns, or (C,).
        names: of the C columns.
        loss: of the outputs, added to the metrics unless `None`.
        intervals: whether to compute bootstrap intervals.
    """
    metrics = kind.evaluate(outputs, targets, threshold, names)
    if loss is not None:
        metrics["loss"] = loss
    return Measured(metrics, kind.intervals(outputs, targets, threshold, names) if intervals else {})
