import pytest

from src.audio.roll import Grid
from src.errors import UserError
from tests.generation.tiny_music import generation

BEATS, SECONDS = Grid(unit="beats", rate=6), Grid(unit="seconds", rate=6)


@pytest.mark.parametrize("grid", [None, BEATS, SECONDS])
def test_length_is_the_steps(grid):
    assert generation(steps=37).length(grid) == 37


def test_bars_are_counted_in_steps_of_the_grid():
    assert generation(steps=5, bars=3, beats_per_bar=4).length(BEATS) == 72
    assert generation(bars=2, beats_per_bar=3).length(BEATS) == 36


@pytest.mark.parametrize("grid", [None, SECONDS])
def test_bars_need_beats(grid):
    with pytest.raises(UserError, match=r"generation.bars=3: .* generation.steps"):
        generation(bars=3).length(grid)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pieces", 0),
        ("pieces", 1.5),
        ("pieces", None),
        ("steps", 0),
        ("steps", None),
        ("bars", 0),
        ("beats_per_bar", 0),
        ("beats_per_bar", None),
        ("prime", -1),
        ("prime", None),
        ("temperature", 0),
        ("temperature", -1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", None),
        ("top_k", 0),
        ("top_k", 2.5),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_p", "much"),
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("bpm", 0),
        ("bpm", None),
        ("program", -1),
        ("program", 128),
        ("program", 3.5),
        ("program", None),
        ("soundfont", None),
    ],
)
def test_options_outside_their_range_are_refused_in_one_line(name, value):
    with pytest.raises(UserError, match=rf"generation\.{name}={value}: [^\n]+$"):
        generation(**{name: value})


@pytest.mark.parametrize("drawing", [{"top_k": 3}, {"top_p": 0.9}])
def test_a_threshold_goes_without_options_of_drawing(drawing):
    with pytest.raises(UserError, match=r"generation\.threshold"):
        generation(threshold=0.5, **drawing)


def test_the_bounds_themselves_are_allowed():
    options = {"pieces": 1, "steps": 1, "prime": 0, "temperature": 0.01, "top_k": 1, "top_p": 1}
    allowed = generation(**options, bpm=4, program=127)
    assert {name: getattr(allowed, name) for name in options} == options
    assert generation(threshold=0, temperature=0.9).threshold == 0
