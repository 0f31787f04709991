"""The space is what Hydra's own parser makes of the grammar."""

import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given
from hypothesis import strategies as st

from src.errors import UserError
from src.sweep.search.space import Choice, Interval, Space
from src.sweep.search.syntax import read_space, refuse_intervals, with_params

PARSER = OverridesParser.create()
NUMBERS = st.one_of(
    st.integers(-10_000, 10_000), st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-9)
)
WORDS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


def space(*arguments: str) -> Space:
    return read_space(PARSER.parse_overrides(list(arguments)))


def value(text: str) -> object:
    """A value as Hydra reads it."""
    [override] = PARSER.parse_overrides([f"key={text}"])
    return override.value()


@given(st.lists(st.one_of(NUMBERS, WORDS, st.booleans()), min_size=2, max_size=6))
def test_choices_are_those_of_hydra(values: list[object]) -> None:
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    for typed in (",".join(texts), f"choice({','.join(texts)})"):
        [axis] = space(f"key={typed}").axes
        assert isinstance(axis, Choice)
        assert not axis.ordered
        found = [repr(value(text)) for text in axis.texts]
        assert found == list(dict.fromkeys(repr(value(text)) for text in texts))


@given(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 7))
def test_a_range_is_without_its_end(start: int, length: int, step: int) -> None:
    [axis] = space(f"key=range({start},{start + length},{step})").axes
    assert axis == Choice("key", tuple(map(str, range(start, start + length, step))), ordered=True)


def test_fractions_have_a_range() -> None:
    [axis] = space("key=range(0,1,0.25)").axes
    assert axis == Choice("key", ("0.0", "0.25", "0.5", "0.75"), ordered=True)


@given(NUMBERS, NUMBERS)
def test_an_interval_is_hydras(low: float, high: float) -> None:
    assume(low < high)
    [axis] = space(f"key=interval({low!r},{high!r})").axes
    assert axis == Interval("key", float(low), float(high))


@pytest.mark.parametrize(
    ("typed", "axis"),
    [
        ("key=tag(log,interval(1e-4,1e-1))", Interval("key", 1e-4, 1e-1, log=True)),
        ("key=int(interval(1,8))", Interval("key", 1, 8, whole=True)),
        ("key=tag(log,int(interval(1,128)))", Interval("key", 1, 128, log=True, whole=True)),
        ("+group.key=shuffle(3,1,2)", Choice("+group.key", ("3", "1", "2"))),
        ("key=shuffle(range(1,4))", Choice("key", ("1", "2", "3"), ordered=True)),
        ("key='a b','c,d'", Choice("key", ("'a b'", "'c,d'"))),
        ("key=[1,2],[3]", Choice("key", ("[1,2]", "[3]"))),
        ("key=a,a,b", Choice("key", ("a", "b"))),
    ],
)
def test_axes(typed: str, axis: object) -> None:
    assert space(typed).axes == (axis,)


@given(NUMBERS, NUMBERS, st.floats(0, 1, exclude_max=True), st.booleans(), st.booleans())
def test_a_number_of_an_interval_is_read_by_hydra_as_it_was_meant(
    low: float, high: float, share: float, log: bool, whole: bool
) -> None:
    if whole:
        low, high = math.floor(low), math.ceil(high)
    assume(low < high and (low > 0 or not log) and high - low > 1e-6 * max(abs(low), abs(high)))
    axis = Interval("key", float(low), float(high), log, whole)
    text = axis.at(share)
    assert axis.holds(text)
    read = value(text)
    assert isinstance(read, int if whole else float)
    assert low <= read <= high
    assert axis.text(float(read)) == text, "what has been rounded stays"
    assert axis.share(text) == pytest.approx(share, abs=1.0 if whole else 1 / 400)


@given(st.floats(0, 1, exclude_max=True))
def test_a_choice_is_at_its_share(share: float) -> None:
    axis = Choice("key", ("a", "b", "c"))
    assert axis.at(share) == "abc"[int(share * 3)]
    assert axis.at(axis.share("b")) == "b"


def test_whole_numbers_are_equally_likely() -> None:
    axis = Interval("key", 1, 4, whole=True)
    assert [axis.at((place + 0.5) / 8) for place in range(8)] == ["1", "1", "2", "2", "3", "3", "4", "4"]


def test_overrides_keep_the_order_of_typing_and_lead_back_to_the_point() -> None:
    found = space("a=1", "+b=interval(0,1)", "c=x,y", "~d", "e=2", "e=3")
    overrides = found.overrides({"c": "y", "+b": "0.25"})
    assert overrides == ("a=1", "+b=0.25", "c=y", "~d", "e=3")
    assert found.point(overrides) == {"c": "y", "+b": "0.25"}
    assert found.point(["b=0.25", "c=y", "other=1"]) == {"c": "y", "+b": "0.25"}
    assert found.point(["b=1.25", "c=y"]) is None
    assert found.point(["b=0.5", "c=z"]) is None
    assert found.point(["b=half", "c=x"]) is None
    assert found.point(["c=x"]) == {"c": "x"}


def test_size() -> None:
    assert space("a=1,2", "b=int(interval(1,8))", "c=range(0,3)").size == 2 * 8 * 3
    assert space("a=1,2", "b=interval(1,8)").size is None
    assert len(list(space("a=1,2", "b=int(interval(1,8))").all())) == 16


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("key=interval(2,1)", "upside down"),
        ("key=interval(1,1)", "empty"),
        ("key=int(interval(1.2,1.9))", "empty"),
        ("key=interval(nan,1)", "finite"),
        ("key=interval(-inf,1)", "finite"),
        ("key=tag(log,interval(0,1))", "zero"),
        ("key=tag(log,int(interval(-1,1)))", "zero"),
        ("key=tag(log,range(1,9))", "leave it out"),
        ("key=tag(lin,interval(0,1))", "no tag lin"),
        ("key=range(3,3)", "no value"),
    ],
)
def test_bad_axes(typed: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        space(typed)
    assert str(error.value).startswith(typed)
    assert "\n" not in str(error.value)


def test_an_interval_is_for_a_search() -> None:
    refuse_intervals(PARSER.parse_overrides(["a=1,2", "b=range(1,3)"]))
    with pytest.raises(UserError, match="search=random"):
        refuse_intervals(PARSER.parse_overrides(["a=1,2", "b=int(interval(1,3))"]))


def test_what_is_typed_takes_the_place_of_parameters() -> None:
    assert with_params(["+a=1", "b=2"], {"a": "3,4", "c": "5,6"}) == ["c=5,6", "+a=1", "b=2"]
    assert with_params(["a=1"], None) == ["a=1"]
