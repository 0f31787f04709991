from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.rolls.piece import sketch
from src.errors import UserError
from src.splitting.groups import divide, united
from tests.datamodules.rolls.slow_rolls import roll

SHARES = {"val": 0.15, "test": 0.15}
NONE = np.zeros(0, np.uint64)


@given(st.lists(st.integers(0, 12), min_size=20, max_size=200), st.integers(0, 1000))
def test_no_group_is_on_two_sides(numbers, seed):
    groups = [f"tune {number}" for number in numbers]
    try:
        parts = divide(groups, SHARES, seed)
    except UserError as error:
        assert "groups leave the" in str(error)  # noqa: PT017
        return
    sides = {group: set() for group in groups}
    for group, part in zip(groups, parts, strict=True):
        sides[group].add(str(part))
    assert all(len(side) == 1 for side in sides.values())
    assert set(parts) == {"train", "val", "test"}


def test_single_pieces_fill_the_shares_exactly():
    assert Counter(divide([str(n) for n in range(100)], SHARES, 3)) == {"train": 70, "val": 15, "test": 15}


def test_division_depends_on_the_seed_only():
    groups = [str(n) for n in range(50)]
    assert divide(groups, SHARES, 3).tolist() == divide(groups, SHARES, 3).tolist()
    assert divide(groups, SHARES, 3).tolist() != divide(groups, SHARES, 4).tolist()


def test_division_does_not_depend_on_the_order_of_the_pieces():
    groups = [f"{n // 2}" for n in range(50)]
    assert divide(groups, SHARES, 3).tolist() == divide(groups[::-1], SHARES, 3)[::-1].tolist()


@pytest.mark.parametrize("groups", [["a"] * 20, ["a", "b"], ["a"] * 10 + ["b"] * 10 + ["c"] * 10])
def test_an_empty_part_is_refused(groups):
    with pytest.raises(UserError, match=r"part empty; .*data.split"):
        divide(groups, SHARES, 1)


def test_groups_and_identical_pieces_unite_in_chains():
    groups, digests = ["a", "b", "c", "b", "d"], ["1", "2", "3", "3", "4"]
    assert united(groups, digests, [NONE] * 5) == ["a", "b", "b", "b", "d"]


def test_nearly_identical_pieces_unite():
    whole = roll(300, seed=1)
    changed = whole.copy()
    changed[[50, 200], 3] ^= True
    sketches = [sketch(np.packbits(columns, axis=1)) for columns in (whole, changed, roll(300, seed=2))]
    assert united(["a", "b", "c"], ["1", "2", "3"], sketches) == ["a", "a", "c"]


def test_pieces_that_share_less_than_half_stay_apart():
    sketches = [np.arange(64, dtype=np.uint64), np.arange(33, 97, dtype=np.uint64)]
    assert united(["a", "b"], ["1", "2"], sketches) == ["a", "b"]


def test_a_passage_in_very_many_pieces_unites_none():
    sketches = [np.array([7, 1000 + n], np.uint64) for n in range(300)]
    groups = [str(n) for n in range(300)]
    assert united(groups, groups, sketches) == groups
