import pytest

from src.errors import UserError
from src.splitting.splits import checked_seed, checked_shares


@pytest.mark.parametrize(
    "split", [{}, {"val": 0.1}, {"val": 0.5, "test": 0.5}, {"val": 0, "test": 0.1}, {"val": "x", "test": 0.1}]
)
def test_shares_out_of_range_are_refused(split):
    with pytest.raises(UserError, match=r"data\.split.*val: share, test: share"):
        checked_shares(split)


def test_only_the_parts_that_are_drawn_have_shares():
    assert checked_shares({"val": 0.2}, ["val"]) == {"val": 0.2}
    with pytest.raises(UserError, match=r"give \{val: share\}"):
        checked_shares({"val": 0.2, "test": 0.1}, ["val"])


def test_seeds_are_whole_numbers_from_0():
    assert checked_seed(None) is None
    assert checked_seed(3) == 3
    for seed in (-1, 0.5):
        with pytest.raises(UserError, match=r"data\.seed"):
            checked_seed(seed)
