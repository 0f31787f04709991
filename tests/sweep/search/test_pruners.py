"""The pruners: against Optuna's, against the definition, and from any order of arrival."""

import math

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.pruners import MedianPruner
from optuna.trial import TrialState, create_trial

from src.sweep.learning_curve import LearningCurve
from src.sweep.limits import Limits
from src.sweep.search.pruners.asha import Asha
from src.sweep.search.pruners.by_name import pruner
from src.sweep.search.pruners.first_epoch import FirstEpoch
from src.sweep.search.pruners.hyperband import Hyperband
from src.sweep.search.pruners.median import Median
from src.sweep.search.record import Outcome, Record
from src.sweep.search.rungs import rank_correlations, rung_notes

LOSSES = st.lists(st.floats(0, 1), min_size=9, max_size=9)


def record(number, losses, outcome=Outcome.PAUSED, epochs=9):
    """A trial with the loss of each of its epochs so far."""
    lines = [
        {"epoch": epoch, "epochs": epochs, "objective": loss, "direction": "min"}
        for epoch, loss in enumerate(losses, start=1)
    ]
    curve = LearningCurve.of(lines)
    loss = curve.best if outcome is Outcome.MEASURED else None
    return Record({"x": str(number)}, outcome, loss, curve=curve, number=number)


def runs_to(rule, own, others):
    """After how many epochs a trial with these losses stops."""
    limits = Limits(rule.reason, rule.limits(Record({}, number=99), others))
    for done in range(1, len(own)):
        if limits.stop(done - 1, done, min(own[:done])):
            return done
    return len(own)


def optuna_prunes_at(own, others, min_epochs):
    study = optuna.create_study(pruner=MedianPruner(n_startup_trials=5, n_warmup_steps=min_epochs))
    study.add_trials(
        create_trial(state=TrialState.COMPLETE, value=min(other), intermediate_values=least_so_far(other))
        for other in others
    )
    trial = study.ask()
    for done, loss in least_so_far(own[:-1]).items():
        trial.report(loss, done)
        if trial.should_prune():
            return done
    return len(own)


def least_so_far(losses):
    return {done: min(losses[:done]) for done in range(1, len(losses) + 1)}


@given(LOSSES, st.lists(LOSSES, min_size=3, max_size=8), st.integers(1, 3))
def test_median_is_that_of_optuna(own, others, min_epochs):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    finished = [record(number, losses, Outcome.MEASURED) for number, losses in enumerate(others)]
    assert runs_to(Median(min_epochs), own, finished) == optuna_prunes_at(own, others, min_epochs)


def test_median_counts_no_trial_that_it_stopped():
    others = [record(number, [0.1], Outcome.PRUNED) for number in range(9)]
    assert Median(1).limits(Record({}), others) == {}


def test_asha_pauses_the_first_ones_at_each_rung():
    assert Asha(1, 3).limits(Record({}), [record(1, [0.5])]) == {1: None, 3: None}
    assert Asha(2, 2).limits(Record({}), [record(1, [0.5, 0.6], epochs=20)]) == {
        2: 0.5,
        4: None,
        8: None,
        16: None,
    }


def test_asha_lets_one_go_on_that_arrives_among_the_best_third():
    others = [record(1, [0.2]), record(2, [0.4])]
    assert Asha(1, 3).limits(Record({}), others)[1] == 0.2
    assert runs_to(Asha(1, 3), [0.1] * 9, others) == 3
    assert runs_to(Asha(1, 3), [0.3] * 9, others) == 1


def test_asha_promotes_the_best_third_the_highest_rung_first():
    low = [record(number, [loss]) for number, loss in enumerate((0.5, 0.3, 0.4, 0.6, 0.7))]
    assert Asha(1, 3).promoted(low[:2]) is None
    assert Asha(1, 3).promoted(low) is low[1]
    high = [record(number, [0.9, 0.9, loss]) for number, loss in enumerate((0.2, 0.3, 0.25), start=10)]
    assert Asha(1, 3).promoted([*low, *high]) is high[0]


def test_what_was_promoted_or_diverged_counts_at_the_rung_that_it_passed():
    promoted, waits = record(0, [0.1, 0.1, 0.1]), record(1, [0.2])
    diverged = record(2, [], Outcome.DIVERGED)
    assert Asha(1, 3).promoted([promoted, waits, diverged]) is None, "one of three has gone on"
    others = [record(number, [0.9]) for number in range(3, 6)]
    assert Asha(1, 3).promoted([promoted, waits, diverged, *others]) is waits


@given(st.lists(LOSSES, min_size=1, max_size=30))
def test_asha_lets_all_go_on_that_synchronous_halving_would(everything):
    """Handed out one after another until nobody goes on, the best third at each rung has gone on.

    Others may have, that were among the best third when they arrived. Losses are made to differ, since ties all go on.
    """
    losses = [[loss + number / 1e6 for loss in of_one] for number, of_one in enumerate(everything)]
    records = []
    for number, own in enumerate(losses):
        done = runs_to(Asha(1, 3), own, records)
        records.append(record(number, own[:done], Outcome.MEASURED if done == 9 else Outcome.PAUSED))
    while (best := Asha(1, 3).promoted(records)) is not None:
        own = losses[best.number]
        done = 3 if best.curve.done < 3 else 9
        place = records.index(best)
        records[place] = record(best.number, own[:done], Outcome.MEASURED if done == 9 else Outcome.PAUSED)
    for rung in (1, 3):
        arrived = [each for each in records if each.curve.done >= rung]
        passed = [each for each in arrived if each.curve.done > rung]
        best = sorted(arrived, key=lambda each: each.at(rung))[: len(arrived) // 3]
        assert {each.number for each in best} <= {each.number for each in passed}


def promoted_by_definition(rule, records):
    """Of the paused ones the first, by rung and loss, that its own limits let go on."""
    found = []
    for each in records:
        limits = rule.limits(each, records)
        passed = [epoch for epoch in limits if epoch <= each.curve.done]
        limit = limits[passed[-1]] if passed else math.inf
        loss = each.at(passed[-1]) if passed else each.reached
        if each.outcome is Outcome.PAUSED and limit is not None and loss <= limit:
            found.append((-passed[-1] if passed else 0, loss, each.number, each))
    return min(found, key=lambda one: one[:3])[-1] if found else None


@pytest.mark.parametrize("rule", [Asha(1, 3), Asha(2, 2), Hyperband(1, 3)])
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([0.1, 0.2, 0.3, math.inf]), min_size=1, max_size=9),
            st.sampled_from(Outcome),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_a_promotion_is_that_of_the_limits(rule, trials):
    """Losses are sorted once for all trials, with ties, those that diverged, failed, run, or were not proposed."""
    records = [
        record(number if proposed else -1, losses, outcome)
        for number, (losses, outcome, proposed) in enumerate(trials)
    ]
    assert rule.promoted(records) is promoted_by_definition(rule, records)


def test_the_first_epoch_stops_all():
    assert FirstEpoch(2).limits(Record({}), []) == {2: None}
    assert FirstEpoch(2).promoted([record(number, [0.1, number / 10]) for number in range(9)]) is None


def test_hyperband_begins_as_many_in_each_bracket_as_the_paper():
    """Li et al. 2018, table 1: of 81 epochs and η = 3 brackets begin with 81, 34 (27 · 5/4, rounded up), 15, 8, 5."""
    known = [record(-1, [0.5], Outcome.MEASURED, epochs=81)]
    rule = Hyperband(1, 3)
    first = [next(iter(rule.limits(Record({}, number=number), known)), 81) for number in range(143 * 20)]
    shares = [first.count(rung) / len(first) for rung in (1, 3, 9, 27, 81)]
    assert shares == pytest.approx([each / 143 for each in (81, 34, 15, 8, 5)], abs=2e-3)


def test_hyperband_compares_within_a_bracket():
    rule = Hyperband(1, 3)
    others = [record(number, [0.5]) for number in range(40)]
    limits = [rule.limits(Record({}, number=number), others) for number in range(40, 80)]
    assert {next(iter(each), None) for each in limits} == {1, 3, None}
    assert all(each[1] == 0.5 for each in limits if 1 in each)
    assert all(each[3] is None for each in limits if 3 in each)


def test_a_pruner_by_its_name():
    assert pruner("none", 1, 3) is None
    kinds = [type(pruner(name, 2, 4)) for name in ("median", "asha", "hyperband", "first_epoch")]
    assert kinds == [Median, Asha, Hyperband, FirstEpoch]
    assert pruner("asha", 2, 4).rungs(64) == [2, 8, 32]


def test_rank_correlations_are_those_of_the_definition():
    """Spearman's of distinct ranks: 1 − 6 Σ d² / (n (n² − 1))."""
    firsts, ends = [3, 1, 4, 2, 5, 8, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]
    finished = [
        record(number, [first / 10 + 1] * 8 + [end / 10], Outcome.MEASURED)
        for number, (first, end) in enumerate(zip(firsts, ends, strict=True))
    ]
    expected = 1 - 6 * sum((a - b) ** 2 for a, b in zip(firsts, ends, strict=True)) / (8 * 63)
    assert rank_correlations(finished, [1])[1] == pytest.approx(expected)


def test_rungs_that_say_little_are_warned_of():
    losses = [0.3, 0.7, 0.1, 0.5, 0.8, 0.2, 0.6, 0.4]
    finished = [
        record(number, [10 + loss, 9 - loss, 8 + loss, *[7 + loss] * 5, loss], Outcome.MEASURED)
        for number, loss in enumerate(losses)
    ]
    told, warned = rung_notes(finished, Asha(2, 2))
    assert "over 8 finished trials" in told
    assert told.endswith("-1.00 after 2, 1.00 after 4, 1.00 after 8")
    assert "after 2 epochs says little" in warned
    assert rung_notes(finished[:7], Asha(2, 2)) == [], "seven say too little"
    assert "so none was stopped" in rung_notes(finished, Asha(9, 2))[0]
