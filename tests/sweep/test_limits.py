"""Where a trial stops unless it is good enough."""

import math

import pytest

from src.sweep.folder import TrialFolder
from src.sweep.limits import Limits
from src.sweep.progress import ProgressWriter, Stopped
from src.sweep.state import StopReason

ASHA = Limits(StopReason.BUDGET, {1: 0.5, 3: None, 9: 0.1})


@pytest.mark.parametrize(
    ("before", "done", "best", "stops"),
    [
        (0, 1, 0.5, False), (0, 1, 0.6, True), (0, 1, math.inf, True), (0, 1, math.nan, True),
        (1, 2, 0.9, False), (2, 3, 0.0, True), (2, 4, 0.0, True), (3, 8, 0.9, False),
        (8, 9, 0.1, False), (8, 12, 0.2, True), (9, 12, 0.2, False),
    ],
)  # fmt: skip
def test_it_stops_where_it_is_worse(before, done, best, stops):
    assert ASHA.stop(before, done, best) is stops


def test_where_it_may_stop_next():
    assert [ASHA.next_stop(done) for done in (0, 1, 2, 3, 9)] == [1, 3, 3, 9, None]


def test_they_are_read_as_they_were_written(tmp_path):
    ASHA.write(tmp_path)
    assert Limits.read(tmp_path) == ASHA
    diverged = Limits(StopReason.PRUNED, {2: math.inf})
    diverged.write(tmp_path)
    assert Limits.read(tmp_path) == diverged


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"reason": "x", "losses": {}}', '{"reason": "budget", "losses": 3}']
)
def test_what_cannot_be_read_limits_nothing(tmp_path, text):
    assert Limits.read(tmp_path) is None
    (tmp_path / "limits.json").write_text(text)
    assert Limits.read(tmp_path) is None


def epoch(number, objective, epochs=12):
    return {"epoch": number, "epochs": epochs, "objective": objective, "direction": "min"}


def test_a_trial_stops_itself_for_the_reason_that_they_have(tmp_path):
    Limits(StopReason.PRUNED, {2: 0.5}).write(tmp_path)
    write = ProgressWriter(TrialFolder(tmp_path), lambda _: None)
    write(epoch(1, 0.9))
    with pytest.raises(Stopped) as stopped:
        write(epoch(2, 0.6))
    assert stopped.value.reason is StopReason.PRUNED


def test_its_best_epoch_counts_also_one_of_an_earlier_attempt(tmp_path):
    Limits(StopReason.BUDGET, {3: 0.5}).write(tmp_path)
    folder = TrialFolder(tmp_path)
    ProgressWriter(folder, lambda _: None)(epoch(1, 0.4))
    again = ProgressWriter(folder, lambda _: None)
    again(epoch(2, 0.9))
    again(epoch(3, 0.9))


def test_one_that_goes_on_does_not_stop_where_it_did(tmp_path):
    Limits(StopReason.BUDGET, {2: None}).write(tmp_path)
    folder = TrialFolder(tmp_path)
    with pytest.raises(Stopped):
        ProgressWriter(folder, lambda _: None)(epoch(2, 0.4))
    ProgressWriter(folder, lambda _: None)(epoch(3, 0.4))


def test_after_the_last_epoch_nothing_stops_it(tmp_path):
    Limits(StopReason.BUDGET, {1: None, 2: None}).write(tmp_path)
    ProgressWriter(TrialFolder(tmp_path), lambda _: None)(epoch(2, 0.4, epochs=2))
