"""The variances of configurations over seeds, estimated together.

A handful of seeds says little about one configuration's variance, and configurations need not have the same one. Their
variances are therefore given a common prior distribution whose shape is learned from all of them, as in empirical-Bayes
moderation (Smyth, 'Linear models and empirical Bayes methods for assessing differential expression', 2004), but with
the uncertainty of the shape kept: where sample variances agree they are pooled, where some are far larger they are not.
The shapes are: all variances equal; a share of them larger by a factor; scaled inverse chi-squared.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

STEP = 0.3
"""Distance of the values on the grid of log variances."""

GRID = np.arange(-30, 31) * STEP
"""Logarithms of variances, relative to the pooled sample variance."""

SCALES = range(-14, 9)
"""Steps on the grid by which a shape is moved; one shape is at all scales alike probable."""

RATIOS = (2, 3, 5, 8, 14)
"""How many times as large the standard deviation of noisy configurations may be."""

SHARES = (0.15, 0.35, 0.6)
"""Share of the configurations that may be noisy."""

FREEDOMS = (0.5, 1, 2, 4, 8, 16)
"""Degrees of freedom of the scaled inverse chi-squared shapes."""

WEIGHTS = {"equal": 0.5, "noisy": 2.0, "inverse_chi_squared": 0.5}
"""Prior weight of each family of shapes, shared out evenly within it; chosen by `benchmarks/verdicts.py`."""

FLOOR = 0.02
"""Least sample variance, relative to the pooled one: seeds of a coarse metric agree by chance."""


class Prior(NamedTuple):
    """The prior of log variances.

    Attributes:
        shapes: (M, G), densities on `GRID`, each shape at each scale.
        weights: (M,), sum 1.
    """

    shapes: Floats
    weights: Floats


def variance_prior(scales: Sequence[int] = SCALES) -> Prior:
    """Return the prior: every shape at every scale, with its weight.

    Args:
        scales: steps on the grid by which each shape is moved.
    """
    families = {"equal": [_peaks({0.0: 1.0})], "noisy": _noisy(), "inverse_chi_squared": _inverse()}
    total = sum(WEIGHTS.values())
    shapes, weights = [], []
    for family, members in families.items():
        for shape in members:
            shapes += [_moved(shape, steps) for steps in scales]
            weights += [WEIGHTS[family] / total / len(members) / len(scales)] * len(scales)
    return Prior(np.array(shapes), np.array(weights))


def draw_variances(
    sampled: Floats, freedom: Floats, prior: Prior, n_draws: int, rng: np.random.Generator
) -> Floats:
    """Draw from the posterior of the variances.

    Args:
        sampled: (K,), sample variances, at least one of them positive.
        freedom: (K,), their degrees of freedom, >= 0; with 0 a variance is drawn from the learned prior.
        prior: of log variances.
        n_draws: R.
        rng: of the draws.

    Returns:
        (R, K).
    """
    pooled = float((freedom * sampled).sum() / freedom.sum())
    ratio = np.maximum(sampled / pooled, FLOOR)[:, None] / np.exp(GRID)
    likelihood = np.exp(freedom[:, None] / 2 * (np.log(ratio) - ratio + 1))  # (K, G), 1 at most
    # The evidence for each shape and scale is the product of what it says of each configuration.
    evidence = np.log(np.maximum(prior.shapes @ likelihood.T, 1e-300)).sum(1) + np.log(prior.weights)
    posterior = np.exp(evidence - evidence.max())
    chosen = rng.choice(len(posterior), size=n_draws, p=posterior / posterior.sum())
    # Given a shape and scale, variances are independent: one draw from the grid for each configuration.
    used, place = np.unique(chosen, return_inverse=True)
    uniform = rng.random((n_draws, len(sampled)))
    drawn = np.empty((n_draws, len(sampled)))
    for column, of_configuration in enumerate(likelihood):
        cumulated = np.cumsum(prior.shapes[used] * of_configuration, axis=1)
        cumulated /= cumulated[:, -1:]
        below = (cumulated[place] < uniform[:, [column]]).sum(1)
        drawn[:, column] = GRID[np.minimum(below, len(GRID) - 1)]
    return pooled * np.exp(drawn)


def _peaks(masses: dict[float, float]) -> Floats:
    shape = np.zeros(len(GRID))
    for log_variance, mass in masses.items():
        shape[len(GRID) // 2 + round(log_variance / STEP)] += mass
    return shape


def _noisy() -> list[Floats]:
    return [_peaks({0.0: 1 - share, 2 * np.log(ratio): share}) for ratio in RATIOS for share in SHARES]


def _inverse() -> list[Floats]:
    shapes = []
    for freedom in FREEDOMS:
        x = freedom * np.exp(-GRID)
        density = stats.chi2.pdf(x, freedom) * x  # x is the derivative by the logarithm
        shapes.append(density / density.sum())
    return shapes


def _moved(shape: Floats, steps: int) -> Floats:
    """Return a shape moved up the grid, without what leaves it."""
    source = np.arange(len(shape)) - steps
    inside = (source >= 0) & (source < len(shape))
    return np.where(inside, shape[np.clip(source, 0, len(shape) - 1)], 0.0)
