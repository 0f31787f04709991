"""Measures a network's outputs: the one function for epochs, trials and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from src.metrics.bootstrap import Intervals
from src.metrics.bootstrap import intervals as intervals_of
from src.metrics.item_groups import Groups
from src.metrics.kinds import Kind, Metrics
from src.metrics.threshold import Threshold, cross_fitted


@dataclass(frozen=True)
class Measured:
    """The metrics of a split.

    Attributes:
        metrics: by name, scalars, and tables as mappings.
        intervals: 95 % intervals by metric; empty unless groups were given.
    """

    metrics: Metrics
    intervals: Intervals = field(default_factory=dict)


def validation_threshold(
    kind: Kind,
    outputs: Tensor,
    targets: Any,
    threshold: Threshold,
    names: Sequence[str],
    groups: Groups | None,
) -> Threshold:
    """Return the threshold at which validation is measured: of labels, each half's is tuned on the other half.

    Args:
        kind: of the targets.
        outputs: (N, C), of validation.
        targets: of the N items, in the form of their kind.
        threshold: tuned on all of validation, for kinds that do not cross-fit, and where there are no two groups.
        names: of the C columns.
        groups: of the N items; `None` where they are unknown.
    """
    if not kind.cross_fits or groups is None or len(np.unique(groups)) < 2:
        return threshold
    return cross_fitted(lambda some, truth: kind.tune(some, truth, names), outputs, targets, groups)


def measure(
    kind: Kind,
    outputs: Tensor,
    targets: Any,
    threshold: Threshold,
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
        threshold: chosen on validation.
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
