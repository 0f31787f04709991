"""Recorded notes in files; sines stand for them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio.soundfonts.note_files import SAMPLE_RATE, SECONDS, read_notes
from src.audio.soundfonts.writer import write_soundfont
from src.errors import UserError
from tests.audio.soundfonts.hearing import cents, peak, played

FILE_RATE = 44100  # one that mp3 has


def put(folder: Path, name: str, key: float = 69, *, seconds: float = 0.2, silence: float = 0.0) -> None:
    """Write a sine of a key's pitch after some silence."""
    times = np.arange(round(seconds * FILE_RATE)) / FILE_RATE
    tone = 0.6 * np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * times)
    soundfile.write(folder / name, np.concatenate([np.zeros(round(silence * FILE_RATE)), tone]), FILE_RATE)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("A4.wav", 69),
        ("As4.wav", 70),
        ("Cs5.flac", 73),
        ("C4.ogg", 60),
        ("B3.mp3", 59),
        ("C-1.wav", 0),
        ("G9.wav", 127),
        ("60.WAV", 60),
        ("0.wav", 0),
        ("127.wav", 127),
    ],
)
def test_keys(tmp_path, name, key):
    put(tmp_path, name)
    (sound,) = read_notes(tmp_path)
    assert (sound.root, sound.low, sound.high, sound.sample_rate) == (key, 0, 127, SAMPLE_RATE)
    assert sound.samples.dtype == np.int16
    assert np.abs(sound.samples).max() == 30000


OTHERS = (
    "F2 v2.mp3",
    "a4.wav",
    "H4.wav",
    "A44.wav",
    "128.wav",
    "999.wav",
    "-1.wav",
    "A9.wav",
    "Gs9.wav",
    "C-2.wav",
)


def test_other_files_are_ignored(tmp_path):
    put(tmp_path, "As4.wav")
    for name in OTHERS:
        put(tmp_path, name)
    for name in ("README", "A3", "A3.txt", "A3.json", "package.json"):
        (tmp_path / name).write_text("no sound")
    (tmp_path / "more").mkdir()
    put(tmp_path / "more", "A2.wav")
    assert [sound.root for sound in read_notes(tmp_path)] == [70]


def test_no_notes(tmp_path):
    for name in OTHERS:
        put(tmp_path, name)
    with pytest.raises(UserError, match=r"has no notes; give files named by their pitch"):
        read_notes(tmp_path)
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere", tmp_path / OTHERS[0]):
        with pytest.raises(UserError, match="has no notes"):
            read_notes(folder)


def test_broken_and_silent_notes_are_refused(tmp_path):
    (tmp_path / "A4.mp3").write_bytes(b"no sound")
    with pytest.raises(UserError, match=r"A4\.mp3 cannot be read as a sound file"):
        read_notes(tmp_path)
    soundfile.write(tmp_path / "A4.mp3", np.zeros(FILE_RATE), FILE_RATE)
    with pytest.raises(UserError, match=r"A4\.mp3 is silent"):
        read_notes(tmp_path)


@given(keys=st.sets(st.integers(0, 127), min_size=1, max_size=10))
@settings(max_examples=40)
def test_every_key_plays_the_nearest_note(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("notes")
    put(folder, "first.wav", seconds=0.02)
    for key in keys:
        shutil.copyfile(folder / "first.wav", folder / f"{key}.wav")
    sounds = read_notes(folder)
    assert {sound.root for sound in sounds} == keys
    assert [key for sound in sounds for key in range(sound.low, sound.high + 1)] == list(range(128))
    for sound in sounds:
        for key in range(sound.low, sound.high + 1):
            assert abs(key - sound.root) == min(abs(key - root) for root in keys)


def test_of_two_as_near_the_lower_note_plays(tmp_path):
    put(tmp_path, "60.wav")
    put(tmp_path, "64.wav")
    assert [(sound.low, sound.high) for sound in read_notes(tmp_path)] == [(0, 62), (63, 127)]


def test_silence_before_a_note_is_cut_off(tmp_path):
    put(tmp_path, "60.wav", silence=0.5)
    (sound,) = read_notes(tmp_path)
    assert np.flatnonzero(np.abs(sound.samples) > 300)[0] / SAMPLE_RATE < 0.05
    assert len(sound.samples) / SAMPLE_RATE == pytest.approx(0.2, abs=0.1)


def test_long_notes_are_cut(tmp_path):
    put(tmp_path, "60.wav", seconds=5.0)
    (sound,) = read_notes(tmp_path)
    assert len(sound.samples) == round(SECONDS * SAMPLE_RATE)


@pytest.mark.parametrize(
    ("name", "recorded"), [("A4.wav", 69), ("As4.wav", 70), ("Cs5.wav", 73), ("57.wav", 57)]
)
@pytest.mark.parametrize("key", [69, 74])
def test_pitch(tmp_path, name, recorded, key):
    put(tmp_path, name, recorded, seconds=2.0)
    write_soundfont(tmp_path / "x.sf2", "x", {72: read_notes(tmp_path)})
    heard = peak(played(tmp_path / "x.sf2", key, 0.8, program=72))
    assert cents(heard, 440 * 2 ** ((key - 69) / 12)) == pytest.approx(0, abs=10)


def test_each_zone_plays_its_own_file(tmp_path):
    """Files of 220 Hz and, falsely named, 1000 Hz."""
    put(tmp_path, "A3.wav", 57, seconds=2.0)
    put(tmp_path, "As4.wav", 69 + 12 * np.log2(1000 / 440), seconds=2.0)
    write_soundfont(tmp_path / "x.sf2", "x", {0: read_notes(tmp_path)})
    assert cents(peak(played(tmp_path / "x.sf2", 57, 0.8)), 220) == pytest.approx(0, abs=10)
    assert cents(peak(played(tmp_path / "x.sf2", 63, 0.8)), 220 * 2**0.5) == pytest.approx(0, abs=10)
    assert cents(peak(played(tmp_path / "x.sf2", 70, 0.8)), 1000) == pytest.approx(0, abs=10)
