"""Notes played by the real FluidSynth with the soundfont TimGM6mb."""

import librosa
import numpy as np
import pytest

from src.audio.soundfonts.installed import find_soundfont
from src.datamodules.notes.makers import FULL_SCALE, RenderedNotes
from src.datamodules.notes.soundfont_notes import Instrument, instruments, soundfont_notes
from src.datamodules.notes.store import NoteStore
from src.errors import UserError

RATE = 22050
TRUMPET, FLUTE = 56, 73


def played(*notes: tuple[int, int, int], seconds: float = 0.5, effects: bool = False) -> RenderedNotes:
    font = find_soundfont("TimGM6mb")
    return RenderedNotes(tuple((font, *note) for note in notes), RATE, RATE, seconds, effects)


def test_every_pitch_of_every_instrument_in_every_dynamics():
    listed = instruments(
        [
            {"name": "Flute", "program": FLUTE, "low": 60, "high": 62},
            {"name": "Trumpet", "program": TRUMPET, "low": 55, "high": 55},
        ]
    )
    notes, how = soundfont_notes(listed, {"pp": 40, "ff": 110})
    assert how == [(73, 60, 40), (73, 60, 110), (73, 61, 40), (73, 61, 110), (73, 62, 40), (73, 62, 110),
                   (56, 55, 40), (56, 55, 110)]  # fmt: skip
    assert [(note.instrument, note.pitch, note.dynamics) for note in notes[-3:]] == [
        ("Flute", 62, "ff"),
        ("Trumpet", 55, "pp"),
        ("Trumpet", 55, "ff"),
    ]
    assert len({note.name for note in notes}) == len(notes)


@pytest.mark.parametrize("pitch", [60, 69, 76])
def test_a_note_sounds_at_its_pitch(pitch):
    made = played((TRUMPET, pitch, 100))(0)
    sound = made["sound"][: made["length"]] / FULL_SCALE
    found = librosa.yin(sound.astype(np.float32), fmin=100, fmax=2000, sr=RATE)
    assert librosa.hz_to_midi(np.median(found)) == pytest.approx(pitch, abs=0.3)


def test_louder_dynamics_are_louder_and_longer_keys_longer():
    soft, loud = (played((TRUMPET, 60, velocity))(0)["sound"].astype(float).std() for velocity in (40, 110))
    assert loud > 2 * soft
    short, long = (played((FLUTE, 72, 90), seconds=seconds)(0)["length"] for seconds in (0.2, 0.7))
    assert long - short == pytest.approx(0.5 * RATE, rel=0.1)


def test_a_note_does_not_depend_on_what_was_played_before():
    alone = played((FLUTE, 72, 90), effects=True)(0)["sound"]
    maker = played((TRUMPET, 50, 127), (FLUTE, 72, 90), effects=True)
    maker(0)
    np.testing.assert_array_equal(maker(1)["sound"], alone)


def test_a_note_that_no_sound_comes_of_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("src.audio.synthesis.Synthesizer.render", lambda *_: np.zeros(RATE, np.float32))
    store = NoteStore(tmp_path / "store", 1, RATE, {})
    with pytest.raises(UserError, match=r"TimGM6mb\.sf2: program 73 plays nothing at pitch 72"):
        store.prepare(played((FLUTE, 72, 90)), 1, "notes")


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "at least one"),
        ([{"name": "a", "program": 0}], "name, program, low and high"),
        ([{"name": "a", "program": 0, "low": 1, "high": 2, "bank": 3}], "name, program, low and high"),
        ([{"name": "a", "program": 128, "low": 1, "high": 2}], "0..127"),
        ([{"name": "a", "program": 0, "low": 3, "high": 2}], "low <= high"),
        ([{"name": "a", "program": 0, "low": 1, "high": 128}], "0..127"),
        ([{"name": "a", "program": 0, "low": 1, "high": 2}] * 2, "each name once"),
    ],
)
def test_impossible_instruments_are_refused(entries, says):
    with pytest.raises(UserError, match=says):
        instruments(entries)


@pytest.mark.parametrize("velocities", [{}, {"pp": 0}, {"pp": 40, "ff": 128}])
def test_impossible_velocities_are_refused(velocities):
    with pytest.raises(UserError, match=r"1\.\.127"):
        soundfont_notes((Instrument(name="a", program=0, low=1, high=2),), velocities)
