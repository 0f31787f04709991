import pytest

from src.errors import UserError
from src.sweep.search.budget import Budget, Spent
from src.sweep.search.space import Choice, Interval, Space

FINITE, INFINITE = Space((Choice("a", ("1", "2")),)), Space((Interval("a", 0, 1),))


def test_what_has_no_end_needs_a_budget() -> None:
    Budget().check("random", FINITE, 0)
    for budget in (Budget(n_trials=1), Budget(max_hours=1), Budget(max_epochs_total=1)):
        budget.check("random", INFINITE, 0)
    with pytest.raises(UserError, match="n_trials=20"):
        Budget().check("random", INFINITE, 0)


def test_each_conditional_axis_needs_a_trial() -> None:
    Budget(n_trials=2).check("random", INFINITE, 2)
    with pytest.raises(UserError, match="n_trials=2: 3 axes"):
        Budget(n_trials=2).check("random", INFINITE, 3)


def test_trials() -> None:
    spent = Spent(Budget(n_trials=2))
    spent.begins("one")
    spent.begins("one")
    assert spent.left()
    assert str(spent) == "left: 1 of 2 trials"
    spent.begins("two")
    assert not spent.left()


def test_hours() -> None:
    times = iter([0.0, 3599.0, 1800.0, 3600.0])
    spent = Spent(Budget(max_hours=1), lambda: next(times))
    assert spent.left()
    assert str(spent) == "left: 0.5 of 1 hours"
    assert not spent.left()


def test_epochs_of_running_trials_count_in_full_and_of_ended_ones_as_they_were() -> None:
    spent = Spent(Budget(max_epochs_total=30))
    for trial in ("one", "two"):
        spent.begins(trial)
        assert spent.left(), "nobody knows yet how many a trial has"
        spent.progresses(trial, 1, 12)
    assert not spent.left(), "6 are left, and a trial has 12"
    spent.ends("one")
    assert spent.left(), "it stopped after one"
    assert str(spent) == "left: 17 of 30 epochs"
    spent.begins("three")
    spent.progresses("three", 2, 12)
    spent.ends("two")
    assert str(spent) == "left: 16 of 30 epochs"


def test_a_budget_is_told() -> None:
    assert str(Budget(3, 0.5, 100)) == "3 trials, 0.5 hours, 100 epochs"
    assert str(Budget()) == "all configurations"
    assert str(Spent(Budget())) == ""
