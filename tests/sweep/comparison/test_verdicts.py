import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from src.sweep.comparison.results import Results, estimate_errors
from src.sweep.comparison.verdicts import (
    Verdict,
    judge,
    largest_errors,
    more_seeds,
    probability_of_best,
)


def normal(means, deviations, n_seeds, seed=0):
    rng = np.random.default_rng(seed)
    return [Results(rng.normal(mean, sd, n_seeds)) for mean, sd in zip(means, deviations, strict=True)]


def half_width(results, i, j, reference=None, level=0.05):
    errors = estimate_errors(results, n_draws=20_000)
    critical = np.quantile(largest_errors(errors, reference), 1 - level)
    return critical * np.sqrt(errors.variance()[i, j])


def test_intervals_agree_with_tukey_where_variances_are_equal():
    results = normal([0, 0, 0, 0], [1, 1, 1, 1], 60)
    interval = stats.tukey_hsd(*(r.values for r in results)).confidence_interval()
    assert 2 * half_width(results, 0, 1) == pytest.approx(interval.high[0, 1] - interval.low[0, 1], rel=0.08)


def test_intervals_agree_with_games_and_howell_where_they_are_not():
    results = normal([0, 0, 0], [1, 3, 9], 80)
    interval = stats.tukey_hsd(*(r.values for r in results), equal_var=False).confidence_interval()
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert 2 * half_width(results, i, j) == pytest.approx(
            interval.high[i, j] - interval.low[i, j], rel=0.12
        )


def test_intervals_agree_with_dunnett_against_a_reference():
    results = normal([0, 0, 0, 0], [1, 1, 1, 1], 60)
    dunnett = stats.dunnett(
        *(r.values for r in results[1:]), control=results[0].values, rng=np.random.default_rng(0)
    )
    interval = dunnett.confidence_interval()
    assert 2 * half_width(results, 0, 1, reference=0) == pytest.approx(
        interval.high[0] - interval.low[0], rel=0.08
    )
    assert half_width(results, 0, 1, reference=0) < half_width(results, 0, 1)


def test_the_three_verdicts():
    results = normal([0.9, 0.9, 0.5, 0.88], [0.001, 0.001, 0.001, 0.05], 5)
    judged = judge(results, chosen=0, higher_is_better=True, matters=0.02)
    assert [each.verdict for each in judged[:3]] == [Verdict.UNDECIDED, Verdict.AMONG_BEST, Verdict.WORSE]
    assert judged[3].verdict == Verdict.UNDECIDED
    assert judged[2].low < 0.4 < judged[2].high
    assert sum(each.p_best for each in judged) == pytest.approx(1)
    assert judged[0].behind == pytest.approx(
        results[0].values.mean() * -1 + max(r.values.mean() for r in results[1:])
    )


def test_what_is_worse_than_another_by_less_than_what_matters_is_not_worse():
    results = normal([0.9, 0.89], [0.0005, 0.0005], 10)
    assert judge(results, chosen=0, higher_is_better=True, matters=0.0)[1].verdict == Verdict.WORSE
    assert judge(results, chosen=0, higher_is_better=True, matters=0.02)[1].verdict == Verdict.AMONG_BEST


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_no_variance_is_undecided(n_seeds):
    results = [Results(np.full(n_seeds, value)) for value in (0.9, 0.1)]
    judged = judge(results, chosen=0, higher_is_better=True, matters=0.01)
    assert {each.verdict for each in judged} == {Verdict.UNDECIDED}
    assert judged[1].behind == pytest.approx(0.8)
    assert judged[1].low is None
    assert judged[1].p_best is None


def test_one_configuration_is_compared_with_nothing():
    assert judge(normal([0.5], [0.1], 3), chosen=0, higher_is_better=True, matters=0.01)[0].behind is None


def test_the_number_of_seeds_that_would_tell_is_enough():
    found = []
    for repetition in range(20):
        results = normal([0.0, -1.5, -6.0], [1, 1, 1], 3, seed=repetition)
        judgement = judge(results, chosen=0, higher_is_better=True, matters=0.0)[1]
        if judgement.more_seeds is None or judgement.behind < 0.8:
            continue
        means, n_seeds = [-r.values.mean() for r in results], 3 + judgement.more_seeds
        later = [Results(np.random.default_rng(9).normal(size=n_seeds)) for _ in means]
        scaled = [
            Results((r.values - r.values.mean()) / r.values.std(ddof=1) - m)
            for r, m in zip(later, means, strict=True)
        ]
        found.append(judge(scaled, chosen=0, higher_is_better=True, matters=0.0)[1].verdict == Verdict.WORSE)
    assert len(found) > 5
    assert np.mean(found) > 0.5


def test_where_items_are_too_few_no_number_of_seeds_is_named():
    rng = np.random.default_rng(0)
    results = [
        Results(rng.normal(mean, 0.001, 5), rng.normal(0, 0.1, (1, 30)).repeat(5, 0)) for mean in (0.5, 0.49)
    ]
    errors = estimate_errors(results)
    assert more_seeds(errors, 1, 0, 0.01, 2.0) == (None, True)


def test_probability_of_the_best_is_even_among_equals():
    errors = estimate_errors(
        normal([0, 0, 0, 0], [0, 0, 0, 0], 4)[:0] + [Results(np.array([1.0, -1.0, 0.5, -0.5]))] * 4
    )
    assert probability_of_best(errors, 1.0) == pytest.approx(np.full(4, 0.25), abs=0.03)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=2, max_size=5),
    st.floats(-10, 10),
    st.floats(0.1, 100),
)
def test_verdicts_depend_on_neither_origin_nor_unit(values, origin, unit):
    def verdicts(scale, shift, higher):
        results = [Results(np.round(np.array(each), 3) * scale + shift) for each in values]
        judged = judge(results, chosen=0, higher_is_better=higher, matters=0.1 * abs(scale), n_draws=500)
        return [each.verdict for each in judged]

    assert verdicts(1.0, 0.0, True) == verdicts(-1.0, 0.0, False)
    moved = verdicts(unit, origin, True)
    assert (
        sum(a != b for a, b in zip(verdicts(1.0, 0.0, True), moved, strict=True)) <= 1
    )  # rounding at the edge


@pytest.mark.parametrize(
    ("ratio", "coarse", "size", "n_seeds"),
    [(1, None, 6, 3), (5, None, 6, 3), (1, 2.0, 6, 3), (1, 2.0, 18, 2)],
)
def test_equal_configurations_are_seldom_called_worse(ratio, coarse, size, n_seeds):
    rng, false, sweeps = np.random.default_rng(0), 0, 200
    deviations = np.where(np.arange(size) < 2 * size // 3, 1.0, ratio)
    for _ in range(sweeps):
        values = rng.normal(0, deviations[:, None], (size, n_seeds))
        if coarse:
            values = np.round(values / coarse) * coarse
        chosen = int(values.mean(1).argmax())
        judged = judge(
            [Results(v) for v in values], chosen=chosen, higher_is_better=True, matters=0.0, n_draws=1000
        )
        false += any(each.verdict == Verdict.WORSE for each in judged)
    assert false <= stats.binom(sweeps, 0.05).ppf(0.999)


def test_a_lead_of_five_deviations_is_found():
    found = []
    for repetition in range(60):
        results = normal([5, 0, 0, 0, 0, 0], [1] * 6, 3, seed=repetition)
        judged = judge(results, chosen=0, higher_is_better=True, matters=0.0, n_draws=1000)
        found.append(judged[1].verdict == Verdict.WORSE)
    assert np.mean(found) > 0.7


def test_values_that_are_equal_but_for_rounding_tell_no_variance() -> None:
    """The variance of three times -.1 is 10^-34, not 0."""
    results = [Results(np.full(3, 0.0 - 0.1)), Results(np.array([0.0 - 0.1]))]
    judged = judge(results, chosen=0, higher_is_better=True, matters=0.005)
    assert [each.verdict for each in judged] == [Verdict.UNDECIDED] * 2
