import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.recordings.sources.times import parse_time, shown, written
from src.errors import UserError


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_hours_minutes_and_seconds_add_up(hours, minutes, seconds, milliseconds):
    expected = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    text = f"{hours}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
    assert math.isclose(parse_time(text), expected, abs_tol=1e-9)
    assert math.isclose(parse_time(f"{hours * 60 + minutes}:{seconds:02d}.{milliseconds:03d}"), expected)


@given(st.floats(0, 1e6))
def test_numbers_are_seconds(seconds):
    assert parse_time(seconds) == seconds


@given(st.floats(0, 359_999))
def test_a_written_time_is_read_back_to_the_millisecond(seconds):
    assert math.isclose(parse_time(written(seconds)), seconds, abs_tol=5.1e-4)


@given(st.one_of(st.text(), st.none(), st.booleans(), st.lists(st.integers()), st.floats(), st.integers()))
def test_anything_else_is_refused_in_one_line(value):
    try:
        assert 0 <= parse_time(value) < math.inf
    except UserError as error:
        assert "is not a time: write m:ss, h:mm:ss or a number of seconds" in str(error)  # noqa: PT017
        assert len(str(error).splitlines()) == 1  # noqa: PT017


@pytest.mark.parametrize(
    "value",
    [
        *(
            "0:60",
            "1:5",
            "18",
            "1:60:00",
            "1:2:03",
            "-0:05",
            "0:05,5",
            "",
            ":",
            "0:0٣",
            "1e3",
            "9" * 5000 + ":00",
        ),
        *(True, -1, math.nan, math.inf, 10**400),
    ],
    ids=range(17),
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(UserError, match="is not a time"):
        parse_time(value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (65.25, "1:05.25"), (3599.9999, "1:00:00"), (7323, "2:02:03")]
)
def test_times_are_written_as_players_show_them(seconds, text):
    assert written(seconds) == text


def test_values_are_shown_on_one_short_line():
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown(list(range(1000)))) < 80
