"""95 % intervals of metrics over test items, resampled by group.

Items that share a note, a work or a recording tell less than independent ones, so whole groups are resampled (Davison
and Hinkley, 'Bootstrap Methods and their Application', 1997, section 3.8): where each item has one group, a percentile
bootstrap over groups (Efron and Tibshirani, 'An Introduction to the Bootstrap', 1993, chapter 13); where an item is
made of several, a jackknife that leaves out one group after another (chapter 11). The interval reflects the choice of
test items only, neither training nor the threshold.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from src.metrics.item_groups import CELLS, Groups, numbered, weights_without
from src.metrics.weighted import Measures, range_of

Intervals = dict[str, tuple[float, float]]

COVERAGE = 0.95
"""Share of the resamples that lie within an interval."""

QUANTILE = 1.96
"""Standard errors on each side of a value that cover as much of a normal distribution."""


def intervals(measures: Measures, groups: Groups, *, resamples: int = 1000, seed: int = 0) -> Intervals:
    """Return 95 % intervals of metrics.

    Args:
        measures: of N items.
        groups: (N,), the group of each item, or (N, M), the groups of the things that it is made of.
        resamples: of a bootstrap; from about 1000 on the ends of the interval are stable.
        seed: of its draws; the same seed and number of groups give the same draws.

    Returns:
        (low, high) by metric, without the tables. With several groups an item, none where fewer than two groups can be
        left out.
    """
    if groups.ndim == 1 or groups.shape[1] == 1:
        return percentile_intervals(measures, groups, resamples, seed)
    return jackknife_intervals(measures, groups)


def resample_weights(groups: Groups, resamples: int, seed: int) -> Iterator[Tensor]:
    """Yield the number of times that each item's group is drawn in each resample.

    Args:
        groups: (N,), the group of each item. As many groups are drawn in a resample as there are.
        resamples: R, in total.
        seed: of the draws.

    Yields:
        (N, r) float32 whole numbers, in blocks of r ≤ R resamples; each column sums to N where all groups are equally
        large.
    """
    numbers, n_groups = numbered(groups)
    generator = np.random.default_rng(seed)
    rows = max(1, CELLS // len(numbers))
    for start in range(0, resamples, rows):
        r = min(rows, resamples - start)
        drawn = generator.integers(n_groups, size=(r, n_groups)) * r + np.arange(r)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_groups * r).reshape(n_groups, r)
        yield torch.from_numpy(counts[numbers[:, 0]]).float()


def percentile_intervals(measures: Measures, groups: Groups, resamples: int, seed: int) -> Intervals:
    """Return percentile bootstrap intervals over groups.

    Args:
        measures: of N items.
        groups: (N,), the group of each item.
        resamples: total number.
        seed: of the draws.
    """
    values = _values(measures, resample_weights(groups, resamples, seed))
    ends = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
    found = {name: np.quantile(of_metric, ends).tolist() for name, of_metric in values.items()}
    return {name: (low, high) for name, (low, high) in found.items()}


def jackknife_intervals(measures: Measures, groups: Groups) -> Intervals:
    """Return value ± 1.96 standard errors of a jackknife over groups, within the range of the metric.

    SE² = (G − 1)/G · Σ (θ₋ᵍ − mean)², where θ₋ᵍ is the metric without all items of which a part is in group g. G is the
    number of groups without which items are left.

    Args:
        measures: of N items.
        groups: (N, M), the groups of each item, padded with −1.
    """
    numbers, n_groups = numbered(groups)
    parts = weights_without(numbers, np.arange(n_groups), n_groups)
    # Without a group that is in every item there is nothing to measure.
    without = _values(measures, (weights[:, weights.any(0)] for weights in parts))
    if len(next(iter(without.values()))) < 2:
        return {}
    values = _values(measures, [torch.ones(len(numbers), 1)])
    return {name: _normal_interval(name, float(value), without[name]) for name, [value] in values.items()}


def _values(measures: Measures, weights: Iterable[Tensor]) -> dict[str, np.ndarray]:
    """Measure parts of weights (N, r), and return the values (R,) of each metric."""
    parts = [
        {name: values for measure in measures.values() for name, values in measure(part).items()}
        for part in weights
    ]
    return {name: torch.cat([part[name] for part in parts]).double().numpy() for name in parts[0]}


def _normal_interval(metric: str, value: float, without: np.ndarray) -> tuple[float, float]:
    spread = np.square(without - without.mean()).sum()
    error = QUANTILE * float(np.sqrt((len(without) - 1) / len(without) * spread))
    least, greatest = range_of(metric)
    return max(least, value - error), min(greatest, value + error)
