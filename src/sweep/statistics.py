"""Significance of differences: paired tests over seeds, corrected for multiple comparisons."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

ALPHA = 0.05
"""Family-wise error rate at which a difference is claimed."""


def paired_p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p value of the paired t-test (Student 1908; `scipy.stats.ttest_rel`).

    Args:
        first: a metric for two or more seeds.
        second: the same metric over the same seeds, in the same order.

    Returns:
        p in 0..1. Where all differences are equal, the test statistic is undefined, and p is 1 if they are 0, else 0.
    """
    differences = np.subtract(first, second)
    if np.ptp(differences) == 0:
        return 1.0 if differences[0] == 0 else 0.0
    return float(stats.ttest_rel(first, second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for multiple comparisons by the step-down method (Holm 1979).

    Returns:
        Adjusted values in the given order; those below α are significant at the family-wise level α.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return [float(p) for p in adjusted]


def tied_with_best(values: Sequence[Mapping[int, float]], best: int) -> list[bool | None]:
    """Test which configurations do not differ significantly from the best one.

    Args:
        values: the objective by seed, for each configuration.
        best: index of the best configuration.

    Returns:
        `True` (tied), `False` (differs), or `None` where fewer than two seeds are shared with the best. The best itself
        is tied.
    """
    tied: list[bool | None] = [None] * len(values)
    p_values = {}
    # One paired test per configuration, over the seeds that it shares with the best.
    for index, of_seed in enumerate(values):
        shared = sorted(of_seed.keys() & values[best].keys())
        if len(shared) >= 2 and index != best:
            p_values[index] = paired_p_value([of_seed[s] for s in shared], [values[best][s] for s in shared])
    adjusted = holm(list(p_values.values()))
    for index, p in zip(p_values, adjusted, strict=True):
        tied[index] = p >= ALPHA
    if len(values[best]) >= 2:
        tied[best] = True
    return tied
