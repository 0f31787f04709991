"""Means and variances of configurations that share seeds, for many searches at once.

A seed may be lucky for all configurations alike: it draws the same batches, sometimes the same first weights. The
additive model *figure = configuration + seed + noise* takes that luck out, whether there is any or not; the noise may
be of another size in each configuration. What is left says how large it is: in each configuration a few degrees of
freedom, which are moderated by those of all others (`src.sweep.comparison.variances`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.sweep.comparison.variances import FLOOR, GRID, SCALES, variance_prior

Floats = NDArray[np.float64]

PASSES = 3
"""How often configurations are weighed by their variance, which is then estimated anew."""

SWEEPS = 3
"""Of the fit, in each pass, over configurations and seeds in turn."""

TAILS = np.append(np.geomspace(1.0, 1e-4, 28), 0.0)
"""Limits of the parts into which a posterior is cut: probabilities that a variance is larger."""

PARTS = -np.diff(TAILS)
"""Probability of each part, (Q,), sum 1."""

MEDIAN = int(np.searchsorted(PARTS.cumsum(), 0.5))
"""Which part has the middle of a posterior."""

_ROUNDING = 1e-9
"""Share of the largest figure up to which a difference is rounding."""

_PRIOR = variance_prior(SCALES[::2])
_PRIOR = _PRIOR._replace(shapes=_PRIOR.shapes.astype(np.float32))


class Moments(NamedTuple):
    """Means of configurations, and how far they may be from the truth.

    Attributes:
        means: (N, K), of the configurations, seeds being equally lucky.
        n_seeds: (N, K).
        variances: (N, K, Q), of one seed: in each of `PARTS` of its posterior one value, from small to large; NaN
            where all seeds agree, which tells nothing.
    """

    means: Floats
    n_seeds: NDArray[np.int64]
    variances: Floats

    def squared_errors(self) -> Floats:
        """Return the variances of the means, (N, K, Q)."""
        return self.variances / self.n_seeds[..., None]


def moments(values: Floats) -> Moments:
    """Estimate means and variances.

    Args:
        values: (N, K, S), of N searches, K configurations, S seeds; NaN where there is none.
    """
    known = np.isfinite(values)
    values = np.where(known, values, 0.0)
    smallest = np.square(_steps(values, known) / 2)[:, None]  # as in `src.sweep.comparison.results`
    weights, luck = np.ones(values.shape[:2]), np.zeros(values.shape[::2])
    for number in range(PASSES):
        means, luck, noise, freedom = _fit(values, known, weights, luck)
        sampled = np.square(noise).sum(2) / np.maximum(freedom, 1e-9)
        told = sampled.max(1) > np.square(_ROUNDING * np.abs(values).max((1, 2)))
        sampled = np.maximum(sampled, smallest)
        if number < PASSES - 1:
            weights = _weights(sampled, freedom)
    variances = _quantiles(np.where(told[:, None], sampled, 1.0), freedom)
    return Moments(means, np.maximum(known.sum(2), 1), np.where(told[:, None, None], variances, np.nan))


def _fit(
    values: Floats, known: NDArray[np.bool_], weights: Floats, luck: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Fit the additive model; return means (N, K), luck (N, S), noise (N, K, S) and degrees of freedom (N, K)."""
    shares = weights[:, :, None] * known
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-300)
    n_seeds = np.maximum(known.sum(2), 1)
    for _ in range(SWEEPS):
        means = ((values - luck[:, None]) * known).sum(2) / n_seeds
        luck = ((values - means[:, :, None]) * shares).sum(1)
        luck -= luck.mean(1, keepdims=True)
    means = ((values - luck[:, None]) * known).sum(2) / n_seeds
    noise = (values - means[:, :, None] - luck[:, None]) * known
    # What a configuration has contributed to the luck of its seeds is missing in its own noise.
    return means, luck, noise, np.maximum((n_seeds - 1) * (1 - shares.sum(2) / n_seeds), 0.0)


def _weights(sampled: Floats, freedom: Floats) -> Floats:
    """Return the weights of configurations: the inverse of their variance, drawn towards the median of all."""
    typical = np.median(sampled, axis=1, keepdims=True)
    weights = (freedom + 2) / np.maximum(freedom * sampled + 2 * typical, 1e-300)
    return np.asarray(weights / weights.max(1, keepdims=True))


def _quantiles(sampled: Floats, freedom: Floats) -> Floats:
    """Return the posteriors of variances (N, K, Q), one value for each of `PARTS`.

    Args:
        sampled: (N, K), sample variances.
        freedom: (N, K), their degrees of freedom, some of them positive.
    """
    pooled = (freedom * sampled).sum(1, keepdims=True) / np.maximum(freedom.sum(1, keepdims=True), 1e-9)
    pooled = np.maximum(pooled, 1e-300)
    ratio = np.maximum(sampled / pooled, FLOOR)[:, :, None] / np.exp(GRID)
    likelihood = np.exp(freedom[:, :, None] / 2 * (np.log(ratio) - ratio + 1)).astype(np.float32)  # (N, K, G)
    evidence = np.maximum(likelihood @ _PRIOR.shapes.T, 1e-30)  # (N, K, M)
    of_shapes = np.log(evidence).sum(1) + np.log(_PRIOR.weights)
    of_shapes = np.exp(of_shapes - of_shapes.max(1, keepdims=True))
    of_shapes /= of_shapes.sum(1, keepdims=True)
    posterior = (of_shapes[:, None] / evidence) @ _PRIOR.shapes * likelihood
    cumulated = posterior.cumsum(2) / posterior.sum(2, keepdims=True)
    middle = 1 - np.sqrt(TAILS[:-1] * np.maximum(TAILS[1:], 3e-5))
    places = np.stack([(cumulated < each).sum(2) for each in middle], axis=2)
    return np.asarray(pooled[:, :, None] * np.exp(GRID[np.minimum(places, len(GRID) - 1)]))


def _steps(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the smallest difference between two figures of a search that differ, (N,); 0 where all are equal."""
    flat = np.where(known, values, np.inf).reshape(len(values), -1)
    with np.errstate(invalid="ignore"):
        gaps = np.diff(np.sort(flat, axis=1), axis=1)
    rounding = _ROUNDING * np.abs(values).max((1, 2))[:, None]
    smallest = np.where(gaps > rounding, gaps, np.inf).min(1)
    return np.where(np.isfinite(smallest), smallest, 0.0)
