"""Tuning curves: what tuning for longer is worth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 1000
COVERAGE = 0.95


def tuning_curve(validation: Sequence[float], test: Sequence[float], *, higher_is_better: bool) -> Floats:
    """Return the expected test result of the best of n configurations on validation, for each n.

    The n configurations are drawn from those that were tried, with replacement (Dodge et al., 'Show Your Work', EMNLP
    2019, whose curve is of validation; Tang et al., 'Showing Your Work Doesn't Always Work', ACL 2020, who show
    that curves say little beyond the number tried).

    Args:
        validation: of N configurations.
        test: of the same.
        higher_is_better: whether greater values are better.

    Returns:
        (N,), for n = 1..N.
    """
    order = np.argsort(np.asarray(validation) * (1 if higher_is_better else -1), kind="stable")
    return np.asarray(_probabilities(len(order)) @ np.asarray(test, float)[order])


def _probabilities(total: int) -> Floats:
    """Return the probability that the best of n draws is the i-th of N in ascending order, (N, N), for n, i = 1..N."""
    share = np.arange(total + 1) / total
    return np.diff(share ** np.arange(1, total + 1)[:, None])


def curve_band(
    validation: Sequence[float], test: Sequence[float], *, higher_is_better: bool, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the 95 % percentile bootstrap band of a tuning curve, over the configurations: (N,) each.

    Args:
        validation: of N configurations.
        test: of the same.
        higher_is_better: whether greater values are better.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    on_validation = np.asarray(validation, float) * (1 if higher_is_better else -1)
    drawn = rng.integers(len(on_validation), size=(RESAMPLES, len(on_validation)))
    order = np.argsort(on_validation[drawn], axis=1, kind="stable")
    ranked = np.take_along_axis(np.asarray(test, float)[drawn], order, axis=1)
    low, high = np.quantile(
        ranked @ _probabilities(len(on_validation)).T, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0
    )
    return low, high
