"""The decomposition of a forest against exact ANOVA by NumPy, and against Optuna's evaluator."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from src.sweep.importance.forest import fit, tree_shares


def anova(table):
    """Shares of the variance of a full grid, by its axes: each margin's means, less those of the margins within it."""
    table = table - table.mean()
    axes = range(table.ndim)
    parts = {}
    for size in (1, 2):
        for kept in itertools.combinations(axes, size):
            other = tuple(axis for axis in axes if axis not in kept)
            variance = np.square(table.mean(axis=other)).mean()
            within = sum(value for key, value in parts.items() if set(key) < set(kept))
            parts[kept] = variance - within
    return {key: value / table.var() for key, value in parts.items()}


def grid(*sizes):
    return np.array(list(itertools.product(*map(range, sizes))), float), [
        np.arange(size, dtype=float) for size in sizes
    ]


def test_a_tree_that_knows_a_grid_has_the_shares_of_its_analysis_of_variance():
    x, places = grid(3, 4, 2, 3)
    y = np.random.default_rng(0).normal(size=len(x))
    tree = DecisionTreeRegressor(random_state=0).fit(x, y).tree_
    expected = anova(y.reshape(3, 4, 2, 3))
    assert tree_shares(tree, places) == pytest.approx(expected)


def test_places_that_no_trial_has_count_as_the_tree_answers_there():
    rng = np.random.default_rng(1)
    x, y = rng.random((40, 3)), rng.normal(size=40)
    places = [np.linspace(0, 1, 5), np.linspace(0, 1, 7), np.linspace(0, 1, 4)]
    tree = DecisionTreeRegressor(random_state=0).fit(x, y)
    answers = tree.predict(np.array(list(itertools.product(*places)))).reshape(5, 7, 4)
    assert tree_shares(tree.tree_, places) == pytest.approx(anova(answers))


def test_a_known_function_of_a_grid_has_its_shares():
    x, places = grid(4, 3, 3)
    first, second = x[:, 0] - 1.5, x[:, 1] - 1
    y = first + 1.2 * second + 0.7 * first * second
    exact = anova(y.reshape(4, 3, 3))
    assert exact[0, 1] > 0.15
    found = fit(np.repeat(x, 5, 0), np.repeat(y, 5), places)
    assert found.single == pytest.approx({0: exact[0,], 1: exact[1,], 2: 0}, abs=0.03)
    assert found.paired == pytest.approx({(0, 1): exact[0, 1], (0, 2): 0, (1, 2): 0}, abs=0.03)
    assert found.explained > 0.95


def test_numbers_without_factors_have_optunas_shares():
    import optuna

    rng = np.random.default_rng(2)
    x = rng.random((60, 3))
    y = np.sin(5 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=60)
    distribution = optuna.distributions.FloatDistribution(0, 1)
    study = optuna.create_study()
    study.add_trials(
        optuna.trial.create_trial(
            value=value, params=dict(zip("abc", point, strict=True)), distributions=dict.fromkeys("abc", distribution)
        )
        for point, value in zip(x.tolist(), y, strict=True)
    )  # fmt: skip
    theirs = optuna.importance.FanovaImportanceEvaluator(seed=0).evaluate(study)
    ours = fit(x, y, [(np.arange(1000) + 0.5) / 1000] * 3)
    assert {"abc"[axis]: share for axis, share in ours.single.items()} == pytest.approx(theirs, abs=2e-3)


def test_chance_is_not_explained():
    rng = np.random.default_rng(3)
    places = [(np.arange(16) + 0.5) / 16] * 3
    x = rng.random((80, 3))
    assert fit(x, rng.normal(size=80), places).explained < 0.1
    assert fit(x, x[:, 0] + 0.1 * rng.normal(size=80), places).explained > 0.8


VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=12, max_size=12)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_shares_of_any_values_are_shares(values):
    x, places = grid(3, 2, 2)
    found = fit(x, np.array(values), places, n_trees=8)
    if found is None:
        return
    shares = [*found.single.values(), *found.paired.values()]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) <= 1 + 1e-9
    assert found.explained <= 1


@pytest.mark.parametrize("value", [0.0, 0.3, 1e308, -1e-300])
def test_a_constant_has_no_shares(value):
    x, places = grid(3, 2, 2)
    assert fit(x, np.full(12, value), places) is None
