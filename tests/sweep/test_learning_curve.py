"""The least loss so far, after each epoch."""

import math

from hypothesis import given
from hypothesis import strategies as st

from src.sweep.learning_curve import LearningCurve


def line(epoch, objective, direction="min", epochs=9):
    return {"epoch": epoch, "epochs": epochs, "objective": objective, "direction": direction}


def test_the_least_loss_so_far():
    curve = LearningCurve.of([line(1, 3.0), line(2, 1.0), line(3, 2.0)])
    assert curve.losses == {1: 3.0, 2: 1.0, 3: 1.0}
    assert (curve.done, curve.epochs, curve.best) == (3, 9, 1.0)


def test_where_more_is_better_the_loss_is_negated():
    assert LearningCurve.of([line(1, 0.5, "max"), line(2, 0.7, "max")]).losses == {1: -0.5, 2: -0.7}


def test_before_the_first_epoch_nothing_is_known():
    assert LearningCurve().best == math.inf
    assert LearningCurve().at(1) is None


def test_what_is_not_finite_is_no_loss():
    curve = LearningCurve.of([line(1, None), line(2, math.nan), line(3, 1.0), line(4, None)])
    assert curve.losses == {1: math.inf, 2: math.inf, 3: 1.0, 4: 1.0}


def test_an_epoch_that_comes_again_changes_nothing():
    lines = [line(1, 3.0), line(2, 2.0), line(4, 1.0)]
    assert LearningCurve.of([*lines, *lines[:2]]) == LearningCurve.of(lines)


def test_at_an_epoch_between_two_validations_it_is_that_of_the_earlier_one():
    curve = LearningCurve.of([line(2, 3.0), line(4, 1.0)])
    assert [curve.at(epoch) for epoch in (1, 2, 3, 4, 5)] == [3.0, 3.0, 3.0, 1.0, None]


@given(
    st.lists(st.floats(allow_nan=True) | st.none(), min_size=1, max_size=12), st.sampled_from(["min", "max"])
)
def test_it_never_rises(objectives, direction):
    curve = LearningCurve.of(
        line(number, value, direction) for number, value in enumerate(objectives, start=1)
    )
    losses = list(curve.losses.values())
    assert losses == sorted(losses, reverse=True)
    finite = [value for value in objectives if value is not None and math.isfinite(value)]
    assert curve.best == (
        min(finite if direction == "min" else [-value for value in finite]) if finite else math.inf
    )
