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
    ranked, total = np.asarray(test, float)[order], len(order)
    share = np.arange(total + 1) / total
    curve = []
    for n in range(1, total + 1):
        # The best of n draws is the i-th of N in ascending order with this probability.
        probability = np.diff(share**n)
        curve.append(probability @ ranked)
    return np.array(curve)


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
    on_validation, on_test = np.asarray(validation, float), np.asarray(test, float)
    curves = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(on_test), size=len(on_test))
        curves.append(
            tuning_curve(
                on_validation[drawn].tolist(), on_test[drawn].tolist(), higher_is_better=higher_is_better
            )
        )
    low, high = np.quantile(curves, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0)
    return low, high
