"""What is proposed: deterministic, better than chance, and the same from a study that was rebuilt."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from src.errors import UserError
from src.sweep.learning_curve import LearningCurve
from src.sweep.search.record import Outcome, Record, outcome_of
from src.sweep.search.samplers import check_sampler, fewer, resolve_auto
from src.sweep.search.space import Axis, Choice, Interval, Point, Space
from src.sweep.search.study import Study, at_one_level
from src.sweep.state import State

X, Y = Interval("x", 0, 1), Interval("y", 1e-4, 1, log=True)
KIND = Choice("kind", ("a", "b", "c"))
PLACE = Choice("place", ("0", "1", "2", "3"), ordered=True)
N = Interval("n", 1, 9, whole=True)
MIXED: tuple[Axis, ...] = (KIND, X, Y, PLACE, N)
SAMPLERS = ("random", "qmc", "tpe", "gp", "cmaes")


def always(axis: Axis, point: Point) -> bool:
    return True


def only_of_b(axis: Axis, point: Point) -> bool:
    return axis is not X or point["kind"] == "b"


def loss(point: Point) -> float:
    """Least at x = .3, y = .01."""
    return (float(point.get("x", 0.3)) - 0.3) ** 2 + (math.log10(float(point.get("y", 0.01))) + 2) ** 2 / 16


def searched(search: str, axes: tuple[Axis, ...], n: int, seed: int = 1, holds=always) -> Study:
    study = Study(axes, holds, search, seed)
    for number in range(n):
        point = study.ask(number, 0)
        if point not in study:
            study.add(Record(point))
            study.tell(point, Outcome.MEASURED, loss(point))
    return study


def points(study: Study) -> list[Point]:
    return [record.point for record in study]


@pytest.mark.parametrize("search", SAMPLERS)
def test_a_study_that_is_rebuilt_proposes_the_same(search: str) -> None:
    whole = searched(search, MIXED, 16)
    for n in (0, 1, 9, 12, 15):
        rebuilt = Study(MIXED, always, search, 1)
        for record in list(whole)[:n]:
            rebuilt.add(replace(record, point=dict(record.point)))
        assert rebuilt.ask(n, 0) == points(whole)[n]


@pytest.mark.parametrize("search", SAMPLERS)
def test_the_seed_and_the_attempt_make_other_proposals(search: str) -> None:
    study = searched(search, MIXED, 3)
    assert points(study) == points(searched(search, MIXED, 3))
    assert points(study) != points(searched(search, MIXED, 3, seed=2))
    assert study.ask(3, 0) != study.ask(3, 1)


@pytest.mark.parametrize("search", SAMPLERS)
def test_proposals_are_of_the_space(search: str) -> None:
    for point in points(searched(search, MIXED, 14)):
        assert all(axis.holds(point[axis.key]) for axis in MIXED)


@pytest.mark.parametrize("search", ["random", "qmc", "tpe", "gp"])
def test_an_axis_is_proposed_where_it_holds(search: str) -> None:
    found = points(searched(search, (KIND, Y, X), 20, holds=only_of_b))
    assert {point["kind"] for point in found} == {"a", "b", "c"}
    assert all(("x" in point) == (point["kind"] == "b") for point in found)


@pytest.mark.parametrize("search", ["tpe", "gp", "cmaes"])
def test_models_are_better_than_chance(search: str) -> None:
    def best(search: str) -> float:
        bests = [
            min(record.loss or 0.0 for record in searched(search, (X, Y), 36, seed)) for seed in (1, 2, 3)
        ]
        return sum(bests) / len(bests)

    assert best(search) < best("random") / 2


def test_sobol_points_are_balanced() -> None:
    """Of the first 2^k points each of 2^k equal parts of an axis has one (Sobol 1967)."""
    found = points(searched("qmc", (X, Y, KIND), 16))
    for axis in (X, Y):
        assert Counter(int(16 * axis.share(point[axis.key])) for point in found) == Counter(range(16))
    assert max(Counter(point["kind"] for point in found).values()) <= 6


def test_trials_that_run_keep_others_away() -> None:
    """Constant liar: of many proposals at once no two are alike."""
    study = searched("tpe", (X,), 12)
    asked = []
    for number in range(12, 18):
        asked.append(study.ask(number, 0))
        study.add(Record(asked[-1]))
    assert len({point["x"] for point in asked}) == 6


def test_what_diverged_is_avoided() -> None:
    def share_of_low(outcome: Outcome) -> float:
        study = Study((X,), always, "tpe", 1)
        for number in range(20):
            low = number % 2 == 0
            point = {"x": X.text(number / 40 if low else 0.5 + number / 40)}
            told = (outcome, None) if low else (Outcome.MEASURED, 1.0)
            study.add(Record(point, *told))
        return sum(float(study.ask(20, attempt)["x"]) < 0.5 for attempt in range(40)) / 40

    assert share_of_low(Outcome.DIVERGED) < 0.3 < share_of_low(Outcome.FAILED) + 0.3


def test_a_gaussian_process_has_the_best_and_the_latest_trials() -> None:
    """Of 400 measured ones, whose losses fall and rise again, the 125 around the least and 125 of the last others."""
    records = [Record({}, Outcome.MEASURED, abs(place - 100.2), number=place) for place in range(400)]
    running, *others = (
        Record({}, outcome, number=400) for outcome in Outcome if outcome is not Outcome.MEASURED
    )
    assert running.outcome is Outcome.RUNS
    kept = [record.number for record in fewer([running, *records, *others])]
    assert kept == [400, *range(38, 163), *range(275, 400)]
    assert fewer(records[:250]) == records[:250]


def test_known_trials_are_a_start() -> None:
    """CMA-ES begins at the best that was known before."""
    study = Study((X, Y), always, "cmaes", 1)
    study.add(Record({"x": "0.9", "y": "0.5"}, Outcome.MEASURED, 0.0, proposed=False))
    study.add(Record({"x": "0.1", "y": "0.001"}, Outcome.MEASURED, 1.0, proposed=False))
    near = [abs(float(study.ask(number, 0)["x"]) - 0.9) for number in range(20)]
    assert sum(near) / len(near) < 0.25


@pytest.mark.parametrize(
    ("axes", "n_trials", "conditional", "chosen"),
    [
        ((KIND, PLACE), 12, False, "random"),
        ((KIND, PLACE), None, False, "random"),
        ((KIND, PLACE), 11, False, "tpe"),
        ((KIND, X), 50, False, "tpe"),
        ((X, Y), 50, True, "tpe"),
        ((X, N, PLACE), 250, False, "gp"),
        ((X, Y), 251, False, "cmaes"),
        ((X, Y), None, False, "cmaes"),
        ((X,), 251, False, "tpe"),
    ],
)
def test_auto(axes: tuple[Axis, ...], n_trials: int | None, conditional: bool, chosen: str) -> None:
    assert resolve_auto(Space(axes), n_trials, conditional=conditional) == chosen


def test_cmaes_needs_two_numbers() -> None:
    check_sampler("cmaes", (X, PLACE, KIND), ())
    check_sampler("tpe", (KIND,), ())
    for axes, conditional in [((X, KIND), ()), ((X, Y), (Y,))]:
        with pytest.raises(UserError, match="search=tpe"):
            check_sampler("cmaes", axes, conditional)


@pytest.mark.parametrize(
    ("state", "objective", "expected"),
    [
        (State.FINISHED, {"value": 0.5, "direction": "max"}, (Outcome.MEASURED, -0.5)),
        (State.FINISHED, {"value": 0.5, "direction": "min"}, (Outcome.MEASURED, 0.5)),
        (State.FINISHED, {"value": math.nan, "direction": "min"}, (Outcome.FAILED, None)),
        (State.NAN, {}, (Outcome.DIVERGED, None)),
        (State.FAILED, {"value": 0.5, "direction": "max"}, (Outcome.FAILED, None)),
        (State.KILLED, {}, (Outcome.FAILED, None)),
        (State.INTERRUPTED, {}, (Outcome.INTERRUPTED, None)),
        (State.PAUSED, {}, (Outcome.PAUSED, None)),
        (State.PRUNED, {}, (Outcome.PRUNED, None)),
        (None, {}, (Outcome.FAILED, None)),
    ],
)
def test_outcomes(state: State | None, objective: dict[str, object], expected: object) -> None:
    assert outcome_of(state, {"objective": objective} if objective else {}) == expected


def test_a_level_counts_losses_of_zero() -> None:
    """An objective may be 0 after the first epochs."""
    line = {"epoch": 1, "epochs": 9, "objective": 0.0, "direction": "max"}
    records = [
        Record({"x": str(number)}, Outcome.PAUSED, curve=LearningCurve.of([line])) for number in range(12)
    ]
    assert [record.loss for record in at_one_level(records)] == [0.0] * 12
