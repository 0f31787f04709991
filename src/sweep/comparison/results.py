"""Test results of configurations, and draws of how far they may be from the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from src.sweep.comparison.variances import Prior, draw_variances, variance_prior

Floats = NDArray[np.float64]

DRAWS = 4000
"""Draws of all errors; the critical value is a quantile of them."""

_ROUNDING = 1e-9
"""Share of the largest value up to which a difference is rounding."""


@dataclass(frozen=True, eq=False)
class Results:
    """The results of one configuration on test.

    Attributes:
        values: (S,), the metric for each seed.
        without: (S, B), the metric without each block of groups of items; `None` where only numbers are known. Blocks
            are the same in all results that are compared.
    """

    values: Floats
    without: Floats | None = None


@dataclass(frozen=True, eq=False)
class Errors:
    """How far the means of configurations may be from the truth.

    Attributes:
        means: (K,), over seeds.
        n_seeds: (K,).
        drawn: (R, K), draws of the errors of the means: over seeds, and over groups of items where those are known.
        seed_variance: (K,), of one seed.
        item_variance: (K, K), of the difference between two means, over groups of items.
    """

    means: Floats
    n_seeds: NDArray[np.int64]
    drawn: Floats
    seed_variance: Floats
    item_variance: Floats

    def variance(self) -> Floats:
        """Return the variance of the difference between each two means, (K, K)."""
        of_means = self.seed_variance / self.n_seeds
        return np.asarray(of_means[:, None] + of_means + self.item_variance)


_PRIOR = variance_prior()


def estimate_errors(
    results: Sequence[Results],
    *,
    n_draws: int = DRAWS,
    seed: int = 0,
    prior: Prior = _PRIOR,
    shared_variance: tuple[float, float] | None = None,
) -> Errors | None:
    """Estimate the errors of the means of K configurations.

    Seeds and groups of items are two levels of chance. A mean over seeds errs by the variance over seeds, which is
    estimated for all configurations together (`draw_variances`); a mean over items by the delete-a-group jackknife
    (Efron and Tibshirani, 'An Introduction to the Bootstrap', 1993, chapter 11), whose draws all configurations share,
    since they are tested on the same items. Few groups widen the draws as Student's t does.

    Args:
        results: of the configurations, on the same items.
        n_draws: R.
        seed: of the draws.
        prior: of the variances over seeds.
        shared_variance: variance of one seed, the same for all, and its degrees of freedom, where it comes from
            elsewhere than repeated seeds.

    Returns:
        The errors; `None` where no two seeds tell a variance, or there is one group of items only.
    """
    rng = np.random.default_rng(seed)
    n_seeds = np.array([len(each.values) for each in results])
    over_seeds = _over_seeds(results, n_seeds, shared_variance, prior, n_draws, rng)
    if over_seeds is None:
        return None
    drawn = rng.standard_normal(over_seeds.shape) * np.sqrt(over_seeds / n_seeds)
    influence = _influence(results)
    item_variance = np.zeros((len(results), len(results)))
    if influence is not None:
        n_groups = influence.shape[1]
        if n_groups < 2:
            return None
        covariance = _covariance(influence)
        variances = np.diag(covariance)
        item_variance = np.maximum(variances[:, None] + variances - 2 * covariance, 0.0)
        wider = np.sqrt((n_groups - 1) / rng.chisquare(n_groups - 1, size=(n_draws, len(results))))
        with threadpool_limits(1):  # on a busy machine, threads wait for each other ten times as long
            drawn += wider * rng.multivariate_normal(
                np.zeros(len(results)), covariance, n_draws, method="eigh"
            )
    return Errors(
        means=np.array([each.values.mean() for each in results]),
        n_seeds=n_seeds,
        drawn=drawn,
        seed_variance=np.median(over_seeds, axis=0),
        item_variance=item_variance,
    )


def _over_seeds(
    results: Sequence[Results],
    n_seeds: NDArray[np.int64],
    shared: tuple[float, float] | None,
    prior: Prior,
    n_draws: int,
    rng: np.random.Generator,
) -> Floats | None:
    """Return draws (R, K) of the variances over seeds, `None` where no seeds differ."""
    if shared is not None:
        variance, freedom = shared
        if variance <= 0:
            return None
        return np.repeat(variance * freedom / rng.chisquare(freedom, (n_draws, 1)), len(results), axis=1)
    sampled = np.array([_variance(each.values) for each in results])
    if not sampled.any():
        return None
    # Seeds of a coarse metric agree by chance: a deviation below half of its step can't be seen.
    sampled = np.where(n_seeds > 1, np.maximum(sampled, (_step(results) / 2) ** 2), 0.0)
    return draw_variances(sampled, n_seeds.astype(np.float64) - 1, prior, n_draws, rng)


def _variance(values: Floats) -> float:
    """Return the variance over seeds; 0 of one, and of values that are equal but for rounding."""
    if len(values) < 2 or np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return 0.0
    return float(values.var(ddof=1))


def _covariance(influence: Floats) -> Floats:
    """Return the covariance of the errors of the means over items, (K, K), less what all configurations share.

    Between many configurations and few groups, sample covariances are large by chance, and with them the variances of
    some differences too small. So they are shrunk (Ledoit and Wolf, 'A well-conditioned estimator for
    large-dimensional covariance matrices', 2004).

    Args:
        influence: (K, B), of `_influence`.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    own, size = influence - influence.mean(0), len(influence)
    sampled = own @ own.T
    scale = np.abs(own).max() or 1.0  # of tiny numbers the shrinkage would be lost in rounding
    shrinkage = ledoit_wolf_shrinkage(own.T / scale, assume_centered=True)
    # What independent errors of equal variance have when their mean is taken off.
    target = np.trace(sampled) / (size - 1) * (np.eye(size) - 1 / size)
    return np.asarray((1 - shrinkage) * sampled + shrinkage * target)


def _step(results: Sequence[Results]) -> float:
    """Return the smallest difference between two values that differ, which is large where a metric is coarse.

    It is 0 where all values are equal.
    """
    values = np.sort(np.concatenate([each.values for each in results]))
    gaps = np.diff(values)
    steps = gaps[gaps > _ROUNDING * np.abs(values).max()]
    return float(steps.min()) if len(steps) else 0.0


def _influence(results: Sequence[Results]) -> Floats | None:
    """Return what each block of groups changes in each mean, (K, B), scaled so that squares sum to the variance."""
    blocks = [each.without for each in results]
    if any(of_result is None for of_result in blocks):
        return None
    means = np.array([of_result.mean(0) for of_result in blocks if of_result is not None])
    n_blocks = means.shape[1]
    return np.asarray((means - means.mean(1, keepdims=True)) * np.sqrt((n_blocks - 1) / n_blocks))
