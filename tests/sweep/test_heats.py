import math

import pytest

from src.sweep.heats import heats, loss_of, race_notes
from src.sweep.rows import Entry
from src.sweep.state import State


def entry(x, seed, value, state=State.FINISHED, data="one", **objective):
    metrics = {
        "objective": {"name": "f1", "value": value, "direction": "max", **objective},
        "data": {"evaluation": data},
    }
    overrides = {"x": x, "seed": str(seed), "race": "true", "seeds": "3"}
    known = metrics if state in (State.FINISHED, State.NAN) else {}
    return Entry(overrides, state, known, f"runs/{x}-{seed}", seed)


def trials(x, *values, **more):
    return [entry(x, 1 + number, value, **more) for number, value in enumerate(values)]


def test_losses_are_smaller_where_a_figure_is_better():
    assert loss_of(entry("a", 1, 0.7)) == -0.7
    assert loss_of(entry("a", 1, 0.7, direction="min")) == 0.7
    assert loss_of(entry("a", 1, 0.7, judged=0.6), "judged") == -0.6


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.RUNNING, State.KILLED, State.INTERRUPTED, State.DAMAGED]
)
def test_what_goes_on_has_no_loss_yet(state):
    assert math.isnan(loss_of(entry("a", 1, 0.7, state)))


@pytest.mark.parametrize("state", [State.NAN, State.OOM, State.FAILED, State.TIMEOUT])
def test_what_failed_is_behind_all(state):
    assert loss_of(entry("a", 1, 0.7, state)) == math.inf


def test_the_better_ones_are_left():
    raced = [*trials("a", 0.80, 0.81), *trials("b", 0.81, 0.80), *trials("c", 0.1, 0.11)]
    [heat] = heats(raced, 1, 3, None)
    assert heat.names == ("a", "b", "c")
    assert heat.standing.left == (0, 1)
    assert heat.dropped() == ["c drops out after 2 seeds: told from the best on validation"]


def test_the_objective_without_the_choice_of_the_epoch_counts_where_all_have_it():
    flattered = [
        *trials("a", 0.9, 0.9, judged=0.1),
        *trials("b", 0.8, 0.81, judged=0.8),
        *trials("c", 0.8, 0.8),
    ]
    flattered[1].metrics["objective"]["judged"] = 0.11
    [heat] = heats(flattered[:4], 1, 3, None)
    assert heat.standing.after == {0: 2}
    assert 0 in heats(flattered, 1, 3, None)[0].standing.left


def test_configurations_of_other_items_race_apart():
    raced = [
        *trials("a", 0.8, 0.81),
        *trials("b", 0.1, 0.11, data="two"),
        *trials("c", 0.1, 0.12, data="two"),
    ]
    one, two = heats(raced, 1, 3, None)
    assert (one.names, two.names) == (("a",), ("b", "c"))
    assert two.standing.left == (0, 1)


def test_one_that_failed_without_a_result_is_in_the_first_race():
    raced = [entry("f", 1, 0.0, State.OOM), *trials("a", 0.8, 0.81), *trials("b", 0.1, 0.11, data="two")]
    one, two = heats(raced, 1, 3, None)
    assert (one.names, two.names) == (("f", "a"), ("b",))
    assert one.dropped() == ["f drops out after 1 seed: a trial diverged or failed"]


def test_seeds_of_other_sweeps_do_not_count():
    raced = [*trials("a", 0.8, 0.81), *trials("b", 0.8, 0.82), entry("a", 9, 0.0, State.NAN)]
    [heat] = heats(raced, 1, 3, None)
    assert heat.standing.left == (0, 1)


def test_what_matters_is_the_metrics_own_unless_it_is_given():
    raced = [*trials("a", 0.800, 0.801, matters=0.5), *trials("b", 0.801, 0.800, matters=0.5)]
    assert heats(raced, 1, 3, None)[0].standing.tied
    assert not heats(raced, 1, 3, 0.00001)[0].standing.tied


def test_notes_say_what_was_saved():
    raced = [*trials("a", 0.8, 0.81, 0.8), *trials("b", 0.81, 0.8, 0.81), *trials("c", 0.1, 0.11)]
    assert race_notes(raced, 1, 3, None) == [
        "Race: after 3 of up to 3 seeds 2 of 3 are left, not told apart: a, b.",
        "  c drops out after 2 seeds: told from the best on validation",
        "  1 of 9 trainings were saved.",
    ]


def test_notes_of_an_interrupted_race_say_that_it_goes_on():
    raced = [*trials("a", 0.8, 0.81), *trials("b", 0.81, 0.8), entry("a", 3, 0.0, State.INTERRUPTED)]
    assert race_notes(raced, 1, 3, 0.0) == [
        "Race: after 2 of up to 3 seeds 2 of 2 are left, and it goes on: a, b."
    ]


def test_notes_tell_a_tie():
    raced = [*trials("a", 0.800, 0.801), *trials("b", 0.801, 0.800)]
    told, saved = race_notes(raced, 1, 3, 0.5)
    assert told == "Race: after 2 of up to 3 seeds 2 of 2 are left, tied within what matters: a, b."
    assert saved == "  2 of 6 trainings were saved."
