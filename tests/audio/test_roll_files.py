import re

import matplotlib.image
import numpy as np
import pretty_midi
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from src.audio.files import plain_name
from src.audio.roll import Grid
from src.audio.roll_files import STEPS_PER_SECOND, RollWriter, grid_or_default

BEATS = Grid(unit="beats", rate=4, lowest_note=60, n_notes=12)
SECONDS = Grid(unit="seconds", rate=10, lowest_note=60, n_notes=12)


def one_note(steps=20, key=3):
    sounding = np.zeros((steps, 12), bool)
    sounding[4:12, key] = True
    return sounding


def test_steps_of_a_time():
    assert RollWriter(BEATS, bpm=90).steps(10) == 10 * 90 / 60 * 4
    assert RollWriter(SECONDS, bpm=90).steps(10) == 100


@pytest.mark.parametrize(("grid", "seconds"), [(BEATS, 0.15), (SECONDS, 0.1)])
def test_midi_has_the_times_of_the_grid(tmp_path, grid, seconds):
    RollWriter(grid, bpm=100).write(tmp_path / "a", one_note(), None)
    note = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).instruments[0].notes[0]
    assert note.pitch == 63
    assert note.start == pytest.approx(4 * seconds, abs=2e-3)
    assert note.end == pytest.approx(12 * seconds, abs=2e-3)


def test_sound_begins_with_the_note(tmp_path):
    RollWriter(SECONDS).write(tmp_path / "a", one_note(), None)
    sound, rate = soundfile.read(tmp_path / "a.wav")
    before, during = sound[: int(0.39 * rate)], sound[int(0.41 * rate) : int(1.1 * rate)]
    assert np.abs(before).max() < 1e-3
    assert np.abs(during).max() > 0.5


@pytest.mark.parametrize("steps", [0, 20])
def test_a_roll_without_notes_is_silent(tmp_path, steps):
    RollWriter(BEATS).write(tmp_path / "a", np.zeros((steps, 12), bool), None)
    sound, _ = soundfile.read(tmp_path / "a.wav")
    assert np.abs(sound).max() < 1e-3
    assert len(sound)
    assert (tmp_path / "a.png").is_file()
    assert pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).instruments == []


def test_picture_marks_where_the_roll_was_generated_from(tmp_path):
    writer = RollWriter(BEATS)
    writer.write(tmp_path / "plain", one_note(), None)
    writer.write(tmp_path / "marked", one_note(), None, generated_from=10)
    red = [
        (pixels[..., 0] > 0.8) & (pixels[..., 2] < 0.4)
        for pixels in (matplotlib.image.imread(tmp_path / f"{name}.png") for name in ("plain", "marked"))
    ]
    assert [bool(found.any()) for found in red] == [False, True]


def test_picture_is_darker_where_a_note_is_struck_again(tmp_path):
    onsets = np.zeros((20, 12), bool)
    onsets[[4, 8], 3] = True
    writer = RollWriter(BEATS)
    writer.write(tmp_path / "held", one_note(), None)
    writer.write(tmp_path / "again", one_note(), onsets)
    held, again = (
        matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3].mean() for name in ("held", "again")
    )
    assert again < held


@pytest.mark.parametrize("suffixed", ["a.b", "op. 3.mid"])
def test_dots_of_a_name_stay(tmp_path, suffixed):
    RollWriter(BEATS).write(tmp_path / suffixed, one_note(), None)
    assert (tmp_path / f"{suffixed}.mid").is_file()
    assert (tmp_path / f"{suffixed}.png").is_file()


@pytest.mark.filterwarnings("error")
def test_a_name_that_the_font_lacks_is_drawn_without_a_word(tmp_path):
    RollWriter(BEATS).write(tmp_path / "夜想曲", one_note(), None)
    assert (tmp_path / "夜想曲.png").is_file()


def test_without_its_soundfont_there_is_no_sound_and_it_says_so(tmp_path, capsys):
    RollWriter(BEATS, soundfont="missing").write(tmp_path / "a", one_note(), None)
    assert {file.suffix for file in tmp_path.iterdir()} == {".mid", ".png"}
    assert "no sound is written: soundfont missing" in capsys.readouterr().err


def test_a_soundfont_without_the_program_makes_no_sound_and_does_not_fail(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("src.audio.soundfonts.contents.presets", lambda _: {(0, 0)})
    RollWriter(BEATS, program=40).write(tmp_path / "a", one_note(), None)
    assert {file.suffix for file in tmp_path.iterdir()} == {".mid", ".png"}
    assert "has no program 40 (Violin)" in capsys.readouterr().err


def test_the_grid_is_kept_or_made_up():
    assert grid_or_default(BEATS, 1, 2) is BEATS
    default = grid_or_default(None, 30, 50)
    assert (default.unit, default.rate) == ("seconds", STEPS_PER_SECOND)
    assert (default.lowest_note, default.n_notes) == (30, 50)


@given(st.text(max_size=30), st.integers(1, 60))
def test_plain_names_are_parts_of_file_names(word, times):
    name = word * times
    plain = plain_name(name)
    assert re.fullmatch(r"[\w+-]*", plain)
    assert len(plain.encode()) <= 160
    assert re.sub(r"[^\w+-]", "-", name).endswith(plain)


@given(st.text("abcXYZ019_+-éß", max_size=80))
def test_plain_names_stay_as_they_are(name):
    assert plain_name(name) == name
