"""Both methods on trials with known shares, keys that only some have, and too few trials."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.sweep.importance.ped_anova import ped_anova
from src.sweep.importance.scales import scale_of
from src.sweep.importance.shares import LEAST, shares_of
from src.sweep.search.space import Interval

UNIT = {"x": Interval("x", 0, 1), "idle": Interval("idle", 0, 1)}


def by_keys(shares):
    return {share.keys: share for share in shares}


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    points = [
        {"x": str(x), "idle": str(idle), "optimizer": str(rng.choice(["adam", "sgd"]))}
        for x, idle in rng.random((n, 2))
    ]
    losses = [(float(p["x"]) - 0.2) ** 2 + 0.2 * (p["optimizer"] == "sgd") for p in points]
    return points, losses


def test_keys_that_matter_come_before_one_that_does_not():
    points, losses = drawn(60)
    found = by_keys(shares_of(points, losses, ["x", "idle", "optimizer"], UNIT))
    x, optimizer = found["x",], found["optimizer",]
    square = (np.linspace(0, 1, 10_001) - 0.2) ** 2
    exact = square.var() / (square.var() + 0.1**2)  # .2 or 0 with even odds has a deviation of .1
    assert x.fanova == pytest.approx(exact, abs=0.08)
    assert optimizer.fanova == pytest.approx(1 - exact, abs=0.08)
    assert found["idle",].fanova < 0.02
    assert found["idle",].ped_anova < min(x.ped_anova, optimizer.ped_anova)
    assert sum(found[key,].ped_anova for key in ("x", "idle", "optimizer")) == pytest.approx(1)
    assert found["x", "idle"].ped_anova is None
    assert {share.n_trials for share in found.values()} == {60}
    assert {share.note for share in found.values()} == {""}


def test_a_key_that_some_trials_have_is_measured_over_these():
    points, losses = drawn(90)
    rng = np.random.default_rng(5)
    for row, point in enumerate(points):
        if point["optimizer"] == "sgd":
            point["momentum"] = str(rng.choice(["0", "0.5", "0.9"]))
            losses[row] -= float(point["momentum"])
    n_sgd = sum("momentum" in point for point in points)
    found = by_keys(shares_of(points, losses, ["x", "optimizer", "momentum"], UNIT))
    assert found["momentum",].n_trials == found["x", "momentum"].n_trials == n_sgd >= LEAST
    assert found["x",].n_trials == 90
    assert found["momentum",].fanova > 0.5
    assert found["optimizer", "momentum"].fanova == 0, (
        "among the trials that have both there is one optimizer"
    )
    assert found["momentum",].ped_anova > 0


def test_few_trials_have_a_note_and_no_figures():
    points, losses = drawn(LEAST - 1)
    shares = shares_of(points, losses, ["x", "optimizer"], UNIT)
    assert {share.note for share in shares} == {f"too few trials: {LEAST - 1} of at least {LEAST}"}
    assert {(share.fanova, share.ped_anova, share.explained) for share in shares} == {(None, None, None)}
    points, losses = drawn(LEAST)
    assert all(share.fanova is not None for share in shares_of(points, losses, ["x", "optimizer"], UNIT))


def test_few_trials_with_a_key_have_a_note_of_their_own():
    points, losses = drawn(40)
    for point in points[:7]:
        point["momentum"] = "0.9"
    found = by_keys(shares_of(points, losses, ["x", "momentum"], UNIT))
    assert found["momentum",].note == f"too few trials: 7 of at least {LEAST}"
    assert found["momentum",].ped_anova is None
    assert found["x",].ped_anova == pytest.approx(1), "it shares with none"
    assert found["x",].note == ""


def test_what_is_chance_alone_says_so():
    points, _ = drawn(60)
    losses = np.random.default_rng(7).normal(size=60).tolist()
    shares = shares_of(points, losses, ["x", "idle", "optimizer"], UNIT)
    assert all("may be chance" in share.note for share in shares)


CELLS = [
    dict(zip("ab", cell, strict=True)) for cell in itertools.product("123456", ("p", "q", "r", "s", "t"))
]


@settings(deadline=None, max_examples=20)
@given(
    st.one_of(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=30, max_size=30),
        st.lists(st.sampled_from([0.0, 0.5]), min_size=30, max_size=30),
        st.floats(-1, 1).map(lambda value: [value] * 30),
    )
)
def test_shares_of_any_objective_are_shares(losses):
    for share in shares_of(CELLS, losses, ["a", "b"], {}):
        figures = [value for value in (share.fanova, share.ped_anova) if value is not None]
        assert all(0 <= value <= 1 for value in figures)
        if len(set(losses)) == 1:
            assert figures == []
            assert share.note == "the objective is the same in all 30 trials"


def test_one_outlier_does_not_decide_which_trials_are_the_best():
    points, losses = drawn(60)
    scales = {key: scale_of([point[key] for point in points], UNIT.get(key)) for key in points[0]}
    worst = int(np.argmax(losses))
    spoiled = [1e9 if row == worst else loss for row, loss in enumerate(losses)]
    assert ped_anova(points, spoiled, scales) == ped_anova(points, losses, scales)
