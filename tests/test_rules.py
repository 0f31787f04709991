from typing import Any

import pytest

from src.errors import UserError
from src.rules import (
    Rule,
    by_name,
    each,
    flag,
    null,
    number,
    one_of,
    pair,
    path,
    share,
    some_of,
    table,
    whole,
    words,
)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (whole(1), [1, 7]),
        (whole(0, 127), [0, 127]),
        (number(0, 1), [0.0, 0.5, 1.0]),
        (number(0, above=True), [0.001, 1e9]),
        (number(0, 1, below=True), [0.0, 0.999]),
        (flag, [True, False]),
        (one_of("a", 2), ["a", 2]),
        (words("a name"), ["x"]),
        (path, ["a b", "/"]),
        (table, [{}, {"a": 1}]),
        (whole(1) | null(), [1, None]),
        (whole(1) | one_of("auto"), [3, "auto"]),
        (each(whole(1), least=0), [(), (1, 2)]),
        (some_of("a", "b"), [("b", "a")]),
        (pair(number(0)), [(0.0, 0.0), (0.5, 1.0)]),
        (by_name(whole(1), ("val", "test")), [{"val": 1, "test": 2}]),
    ],
)
def test_what_fits_is_kept(rule: Rule, values: list[Any]) -> None:
    for value in values:
        assert rule("key", value) == value


@pytest.mark.parametrize(
    ("rule", "values", "wanted"),
    [
        (whole(1), [0, -1, 1.0, True, "1", None, [1]], "a whole number from 1"),
        (whole(0, 0), [1], "a whole number from 0 to 0"),
        (whole(0, 127), [128, -1, False], "a whole number from 0 to 127"),
        (share, [-0.1, 1.1, True, "x", None, float("nan")], "a share from 0 to 1"),
        (number(0, above=True), [0, float("inf"), True, "1"], "a number above 0"),
        (number(0, 1, below=True), [1, 1.5, False], "a number from 0 to below 1"),
        (flag, [0, 1, "true", None], "true or false"),
        (one_of(1, 2), [3, 1.0, True, "1", [1]], "1 or 2"),
        (words("a name"), ["", 3, None, True], "a name"),
        (path, ["", 2024, None, True, ["a"]], "a path"),
        (table, [[], "a", None], "a table of keys and values"),
        (whole(2) | null("for all"), [1, "null", True], "a whole number from 2, or null for all"),
        (each(whole(1)), [[], [0], [True], 3, "12"], "a list of 1 or more, each a whole number from 1"),
        (some_of("a", "b"), ["a", [], ["a", "a"], ["c"]], "a list of 1 or more, none twice, of a, b"),
        (pair(whole(0)), [[1], [2, 1], [1, 2, 3], 5, [True, 2]], r"[low, high], each a whole number from 0"),
    ],
)
def test_what_does_not_fit_is_refused_by_key_value_and_remedy(
    rule: Rule, values: list[Any], wanted: str
) -> None:
    for value in values:
        with pytest.raises(UserError) as error:
            rule("data.key", value)
        assert str(error.value) == f"data.key={value}: choose {wanted}."


def test_a_value_in_a_table_is_refused_by_its_own_key() -> None:
    rule = by_name(whole(1), ("train", "val"))
    with pytest.raises(UserError, match=r"^data\.n\.val=abc: choose a whole number from 1\.$"):
        rule("data.n", {"train": 1, "val": "abc"})
    with pytest.raises(UserError, match=r"^data\.n\.val=None: choose"):
        rule("data.n", {"train": 1})
    with pytest.raises(
        UserError, match=r"^data\.n\.vla: there is no such key\. Did you mean val\? Known: train, val"
    ):
        rule("data.n", {"train": 1, "val": 1, "vla": 1})


def test_a_value_over_several_lines_is_one_line() -> None:
    with pytest.raises(UserError) as error:
        whole(1)("data.n", "a\nb\x1b[31m" + "c" * 1000)
    assert str(error.value).startswith("data.n=a b\\x1b[31mccc")
    assert str(error.value).endswith("…: choose a whole number from 1.")
    assert len(str(error.value)) < 300
