import numpy as np
import pytest
from scipy import stats

from src.sweep.comparison.variances import GRID, Prior, draw_variances, variance_prior


def equal_only() -> Prior:
    """All variances equal, at any scale: what an analysis of variance assumes."""
    return Prior(np.eye(len(GRID)), np.full(len(GRID), 1 / len(GRID)))


def test_weights_and_shapes_are_distributions():
    prior = variance_prior()
    assert prior.weights.sum() == pytest.approx(1)
    assert (prior.shapes >= 0).all()
    assert (prior.shapes.sum(1) <= 1 + 1e-9).all()


def test_equal_variances_are_pooled_as_in_an_analysis_of_variance():
    sampled, freedom = np.array([1.0, 2.0, 3.0]), np.array([4.0, 4.0, 4.0])
    drawn = draw_variances(sampled, freedom, equal_only(), 40_000, np.random.default_rng(0))
    assert (drawn == drawn[:, :1]).all(), "all configurations have one variance"
    # With a flat prior of its logarithm the pooled variance is scaled inverse chi-squared (Gelman et al., BDA3, 3.2).
    expected = 12 * 2.0 / stats.chi2(12).ppf([0.9, 0.5, 0.1])
    assert np.quantile(drawn[:, 0], [0.1, 0.5, 0.9]) == pytest.approx(
        expected, rel=0.16
    )  # a step of the grid
    assert np.log(drawn[:, 0]).mean() == pytest.approx(
        np.log(24) - np.log(stats.chi2(12).rvs(10**6, random_state=0)).mean(), abs=0.03
    )


def test_similar_variances_are_pooled_and_different_ones_are_not():
    freedom, rng = np.full(12, 4.0), np.random.default_rng(0)
    similar = np.linspace(0.7, 1.3, 12)
    different = np.where(np.arange(12) < 8, similar, 25 * similar)
    for sampled, ratio in ((similar, 1.9), (different, 8.0)):
        drawn = np.median(draw_variances(sampled, freedom, variance_prior(), 4000, rng), axis=0)
        assert (drawn.max() / drawn.min() > ratio) == (ratio > 2)


def test_a_configuration_without_repetitions_takes_what_the_others_have():
    drawn = draw_variances(
        np.array([4.0, 4.4, 3.8, 0.0]),
        np.array([9.0, 9.0, 9.0, 0.0]),
        variance_prior(),
        4000,
        np.random.default_rng(0),
    )
    assert np.median(drawn[:, 3]) == pytest.approx(4.0, rel=0.5)
    assert np.quantile(drawn[:, 3], 0.95) > 2 * np.quantile(drawn[:, 0], 0.95), "but it is less certain"


def test_seeds_that_agree_by_chance_do_not_have_no_variance():
    drawn = draw_variances(
        np.array([0.0, 1.0, 1.2, 0.8]), np.ones(4), variance_prior(), 4000, np.random.default_rng(0)
    )
    assert np.quantile(drawn[:, 0], 0.5) > 0.1
