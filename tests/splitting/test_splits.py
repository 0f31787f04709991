import pytest

from src.errors import UserError
from src.splitting.splits import shares


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"val": 0.1},
        {"val": 0.5, "test": 0.5},
        {"val": 0, "test": 0.1},
        {"val": "x", "test": 0.1},
        {"val": True, "test": 0.1},
    ],
)
def test_shares_out_of_range_are_refused(split):
    with pytest.raises(UserError, match=r"data\.split.*val: share, test: share"):
        shares()("data.split", split)


def test_only_the_parts_that_are_drawn_have_shares():
    assert shares(["val"])("data.split", {"val": 0.2}) == {"val": 0.2}
    with pytest.raises(UserError, match=r"data\.split\.test: there is no such key\. Known: val\."):
        shares(["val"])("data.split", {"val": 0.2, "test": 0.1})


def test_a_typing_error_is_refused_with_the_nearest_part():
    with pytest.raises(UserError, match=r"data\.split\.tset: there is no such key\. Did you mean test\?"):
        shares()("data.split", {"val": 0.2, "test": 0.1, "tset": 0.3})
