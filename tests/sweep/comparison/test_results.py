import numpy as np
import pytest
from scipy import stats

from src.sweep.comparison.results import Results, estimate_errors


def jackknifed(items: np.ndarray) -> Results:
    """Results whose metric is the mean over items (S, N), each its own group."""
    n = items.shape[1]
    return Results(items.mean(1), (items.sum(1, keepdims=True) - items) / (n - 1))


def test_the_variance_over_items_is_that_of_a_paired_bootstrap():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 5, 200)  # shared, so it cancels
    items = [difficulty + rng.normal(0, 1, (2, 200)) for _ in range(2)]
    errors = estimate_errors([jackknifed(each) for each in items])
    differences = items[0].mean(0) - items[1].mean(0)
    reference = stats.bootstrap((differences,), np.mean, n_resamples=4000, random_state=rng).standard_error
    assert np.sqrt(errors.item_variance[0, 1]) == pytest.approx(reference, rel=0.05)
    assert errors.item_variance[0, 1] == pytest.approx(differences.var(ddof=1) / 200)
    assert errors.item_variance[0, 0] == 0


def test_errors_have_the_variance_of_both_levels():
    rng = np.random.default_rng(0)
    items = [
        rng.normal(0, 1, (10, 1)) + rng.normal(0, 4, (1, 100)) + rng.normal(0, 0.1, (10, 100))
        for _ in range(3)
    ]
    errors = estimate_errors([jackknifed(each) for each in items], n_draws=40_000)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        drawn = (errors.drawn[:, i] - errors.drawn[:, j]).var()
        assert drawn == pytest.approx(errors.variance()[i, j], rel=0.25)
    assert errors.seed_variance == pytest.approx(
        np.full(3, np.mean([each.mean(1).var(ddof=1) for each in items])), rel=0.3
    )


def test_few_groups_widen_the_draws():
    rng = np.random.default_rng(0)
    few, many = (
        estimate_errors(
            [
                Results(rng.normal(size=50), without=rng.normal(0, 1, (50, n)) * 0 + rng.normal(0, 1, n))
                for _ in range(2)
            ]
        )
        for n in (3, 300)
    )
    tails = [
        np.quantile(np.abs(e.drawn[:, 0] - e.drawn[:, 1]), 0.99) / np.sqrt(e.variance()[0, 1])
        for e in (few, many)
    ]
    assert tails[0] > 2 * tails[1]


@pytest.mark.parametrize(
    "results",
    [
        [Results(np.array([0.5])), Results(np.array([0.6]))],
        [Results(np.array([0.5, 0.5])), Results(np.array([0.6, 0.6]))],
        [Results(np.array([0.5, 0.6]), np.ones((2, 1))), Results(np.array([0.6, 0.8]), np.ones((2, 1)))],
    ],
    ids=["one seed", "seeds that agree", "one group of items"],
)
def test_nothing_is_known_without_variation(results):
    assert estimate_errors(results) is None


def test_results_without_items_are_compared_by_seeds_alone():
    with_items = jackknifed(np.random.default_rng(0).normal(size=(3, 20)))
    errors = estimate_errors([with_items, Results(np.array([1.0, 2.0, 3.0]))])
    assert not errors.item_variance.any()
