import importlib.util
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from src.sweep.comparison.racing import LEVEL, compare, level, look, standing

NONE, GONE = np.nan, np.inf


@pytest.fixture(scope="module")
def benchmark():
    file = Path(__file__).resolve().parents[3] / "benchmarks" / "racing.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_races", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_level_is_shared_among_the_looks():
    assert level(2) == LEVEL
    assert level(10) == pytest.approx(LEVEL / 3)


def test_with_many_seeds_the_probability_is_bonferronis_of_a_normal_test(rng):
    noise = rng.standard_normal((1, 6, 4000))
    values = noise - noise.mean(2, keepdims=True) + np.array([0, 0.05, 0.06, 0.07, 0.08, 0.3])[:, None]
    found = compare(values, np.ones((1, 6), bool)).tail(0.0, np.ones((1, 6), bool))[0]
    expected = np.minimum(1, 36 * stats.norm.sf(np.array([0.05, 0.06, 0.07, 0.08]) / np.sqrt(2 / 4000)))
    # Variances are on a grid by factors of 1.35.
    assert np.allclose(np.log(found[1:5]), np.log(expected), rtol=0.4, atol=0.4)
    assert found[0] == 1
    assert found[5] < 1e-9


def test_of_two_it_is_nearly_as_strict_as_a_paired_t_test(rng):
    values = rng.standard_normal((500, 2, 8)) + 3 * rng.standard_normal((500, 1, 8))
    values[:, 1] += 1.5
    ours = compare(values, np.ones((500, 2), bool)).tail(0.0, np.ones((500, 2), bool)).min(1)
    paired = stats.ttest_rel(values[:, 0], values[:, 1], axis=1).pvalue
    assert stats.spearmanr(ours, paired).statistic > 0.98
    # A² = 4 counts two-sided probabilities twice.
    assert 0.85 < (ours < 0.1).mean() / (paired < 0.05).mean() <= 1.05


def test_fewer_that_are_left_are_corrected_for_less(rng):
    values = rng.standard_normal((50, 8, 4)) * 0.1
    values[:, 1] += 0.3
    few = np.zeros((50, 8), bool)
    few[:, :2] = True
    all_left = np.ones((50, 8), bool)
    strict = compare(values, all_left)
    assert (strict.tail(0.0, few)[:, 1] <= strict.tail(0.0, all_left)[:, 1]).all()
    assert strict.tail(0.0, few)[:, 1].mean() < 0.5 * strict.tail(0.0, all_left)[:, 1].mean()


def test_nothing_drops_out_where_nothing_tells_the_noise():
    values = np.tile(np.array([0.1, 0.5, 0.9])[:, None], 3)[None]
    left, tied = look(values, np.ones((1, 3), bool), 0.05, matters=1.0)
    assert left.all()
    assert not tied.any()


def test_a_race_ends_in_a_tie_where_no_difference_matters(rng):
    values = rng.standard_normal((1, 3, 6)) * 0.001
    left = np.ones((1, 3), bool)
    assert look(values, left, 0.02, matters=0.05)[1] == [True]
    assert look(values, left, 0.02, matters=0.0005)[1] == [False]


FAR = np.array([[0.10, 0.12, 0.11, 0.11], [0.11, 0.10, 0.12, 0.10], [0.90, 0.91, 0.92, 0.93]])


def only(first, *rounds):
    """The figures of FAR that are known: so many of each configuration."""
    known = FAR.copy()
    for row, number in enumerate((first, *rounds)):
        known[row, number:] = NONE
    return known


def test_a_race_waits_for_all_of_a_round():
    begun = standing(only(0, 0, 0), matters=0.0)
    assert (begun.seeds, begun.waits, begun.left) == (0, (0, 1, 2), (0, 1, 2))
    assert standing(only(2, 1, 2), matters=0.0).waits == (1,)


def test_what_is_told_from_the_leader_drops_out():
    told = standing(only(2, 2, 2), matters=0.0)
    assert (told.after, told.left, told.waits) == ({2: 2}, (0, 1), (0, 1))


def test_later_figures_change_no_look():
    early = only(3, 2, 4)
    early[2, 2:] = -9.0
    assert standing(early, matters=0.0).after == {2: 2}


def test_what_failed_drops_out_at_once():
    known = only(1, 1, 1)
    known[0, 1] = GONE
    told = standing(known, matters=0.0)
    assert told.after == {0: 2}
    assert told.waits == (1, 2)
    known[1, 0] = GONE
    told = standing(known, matters=0.0)
    assert (told.after, told.left, told.waits) == ({1: 1, 0: 2}, (2,), ())


def test_a_race_ends_when_one_is_left_or_seeds_are_used_up():
    alone = FAR[[0, 2]].copy()
    alone[:, 2:] = NONE
    over = standing(alone, matters=0.0)
    assert (over.seeds, over.left, over.waits, over.tied) == (2, (0,), (), False)
    used = standing(FAR, matters=0.0)
    assert (used.seeds, used.left, used.waits, used.tied) == (4, (0, 1), (), False)


def test_a_tie_ends_a_race():
    over = standing(only(2, 2, 2), matters=0.5)
    assert (over.tied, over.left, over.waits) == (True, (0, 1), ())


def test_only_what_keeps_up_is_safe_to_go_on():
    assert standing(only(1, 0, 1), matters=0.0).safe == (0, 2), "no look after one seed"
    assert standing(only(2, 1, 2), matters=0.0).safe == (0,)
    assert standing(only(4, 3, 2), matters=0.0).safe == (0,)


@pytest.mark.parametrize(
    "name", ["a third 5 times as noisy", "steps of 2 deviations", "a third 5 times, correlated"]
)
@pytest.mark.parametrize("truth", ["all equal", "two best"])
def test_few_simulated_races_drop_one_of_the_best(benchmark, name, truth):
    [case] = [case for case in benchmark.CASES if case.name == name]
    gaps = benchmark.truths(6)[truth]
    _, raced = benchmark.measured(case, gaps, rounds=5, searches=400)
    # At 5 % there are more than 30 of 400 in one of 100 tests.
    assert 400 * raced.false(gaps) <= 30


def test_a_race_of_many_spends_less_than_half_of_equal_seeds(benchmark):
    gaps = benchmark.truths(18)["one best"]
    losses, raced = benchmark.measured(benchmark.CASES[0], gaps, rounds=10, searches=200)
    assert raced.power(gaps) > 0.8
    assert raced.n_seeds.mean() < 0.5 * benchmark.equal_seeds(losses, gaps, raced.power(gaps))


def test_others_drop_the_best_more_often(benchmark):
    gaps = np.zeros(6)
    losses, ours = benchmark.measured(benchmark.CASES[0], gaps, rounds=10, searches=200)
    t_race = benchmark.race(losses[:, :, :10], benchmark.t_race, first=5)
    assert t_race.false(gaps) > 0.3 > 10 * ours.false(gaps) / 2


def test_the_benchmarks_own_tests_are_scipys(benchmark, rng):
    values = rng.standard_normal((40, 5, 7))
    left = np.ones((40, 5), bool)
    friedman = np.array([stats.friedmanchisquare(*each).pvalue for each in values])
    dropped = (~benchmark.f_race(values + 0.0, left)).any(1)
    assert not dropped[friedman >= 0.05].any()
    exact = stats.wilcoxon(values, alternative="greater", axis=-1, method="exact").pvalue
    assert np.allclose(benchmark._signed_rank(values), exact)
    leader = values.mean(2).argmin(1)
    paired = stats.ttest_rel(
        values, values[np.arange(40), leader][:, None], axis=2, alternative="greater"
    ).pvalue
    t = benchmark._t_test(values, left)
    others = np.arange(5) != leader[:, None]
    assert np.allclose(t[others], paired[others])


def test_equal_seeds_are_found_between_two_numbers(benchmark, monkeypatch):
    powers = {2: 0.1, 3: 0.3, 4: 0.7, 5: 0.9}

    class Once:
        def __init__(self, n_seeds):
            self.power = lambda gaps: powers[n_seeds]

    monkeypatch.setattr(benchmark, "once", lambda losses, n_seeds: Once(n_seeds))
    equal = partial(benchmark.equal_seeds, np.zeros((1, 2, 5)), np.zeros(2))
    assert equal(0.5) == pytest.approx(3.5)
    assert equal(0.95) == np.inf
