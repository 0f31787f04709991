from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.splitting.shuffled import group_shuffle_split

SHARES = {"val": 0.15, "test": 0.15}


@given(st.lists(st.integers(0, 12), min_size=20, max_size=200), st.integers(0, 1000))
def test_no_group_is_in_two_splits(numbers, seed):
    groups = [f"tune {number}" for number in numbers]
    try:
        splits = group_shuffle_split(groups, SHARES, seed)
    except UserError as error:
        assert "groups leave the" in str(error)  # noqa: PT017
        return
    found = {group: set() for group in groups}
    for group, split in zip(groups, splits, strict=True):
        found[group].add(str(split))
    assert all(len(of_group) == 1 for of_group in found.values())
    assert set(splits) == {"train", "val", "test"}


def test_single_pieces_fill_the_shares_exactly():
    assert Counter(group_shuffle_split([str(n) for n in range(100)], SHARES, 3)) == {
        "train": 70,
        "val": 15,
        "test": 15,
    }


def test_the_draw_depends_on_the_seed_only():
    groups = [str(n) for n in range(50)]
    assert group_shuffle_split(groups, SHARES, 3).tolist() == group_shuffle_split(groups, SHARES, 3).tolist()
    assert group_shuffle_split(groups, SHARES, 3).tolist() != group_shuffle_split(groups, SHARES, 4).tolist()


def test_the_draw_does_not_depend_on_the_order_of_the_pieces():
    groups = [f"{n // 2}" for n in range(50)]
    assert (
        group_shuffle_split(groups, SHARES, 3).tolist()
        == group_shuffle_split(groups[::-1], SHARES, 3)[::-1].tolist()
    )


@pytest.mark.parametrize("groups", [["a"] * 20, ["a", "b"], ["a"] * 10 + ["b"] * 10 + ["c"] * 10])
def test_an_empty_split_is_refused(groups):
    with pytest.raises(UserError, match=r"split empty; .*data.split"):
        group_shuffle_split(groups, SHARES, 1)
