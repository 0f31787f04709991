"""Written soundfonts, against what FluidSynth plays of them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.soundfonts.contents import presets, sounds_of
from src.audio.soundfonts.writer import Sound, timecents, write_soundfont
from src.audio.synthesis import Synthesizer
from src.errors import UserError
from tests.audio.soundfonts.hearing import RATE, cents, decibels, peak, played, sine


def sound(samples: np.ndarray, **changes) -> Sound:
    options = {"name": "sine", "sample_rate": RATE, "low": 0, "high": 127, "root": 69.0}
    return Sound(samples=samples, **{**options, **changes})


def written(folder: Path, *sounds: Sound) -> Path:
    write_soundfont(folder / "x.sf2", "x", {0: sounds})
    return folder / "x.sf2"


def held(folder: Path, **envelope: float) -> np.ndarray:
    """Three seconds of a looped sine, let go after two."""
    return played(written(folder, sound(sine(440), loop=(0, 4400), envelope=envelope)), 69, 3.0, release=2.0)


@pytest.mark.parametrize("root", [69.0, 69.3, 69.7, 68.5, 57.0])
@pytest.mark.parametrize("key", [69, 81, 60])
def test_pitch(tmp_path, root, key):
    recorded = 440 * 2 ** ((root - 69) / 12)
    heard = peak(played(written(tmp_path, sound(sine(recorded, 2.0), root=root)), key, 0.9))
    assert cents(heard, 440 * 2 ** ((key - 69) / 12)) == pytest.approx(0, abs=5)


def test_rate_of_the_recording(tmp_path):
    samples = np.round(9000 * np.sin(2 * np.pi * 440 * np.arange(32000) / 16000)).astype(np.int16)
    assert cents(peak(played(written(tmp_path, sound(samples, sample_rate=16000)), 69, 1.0)), 440) < 5


@pytest.mark.parametrize(("key", "hertz"), [(59, 440), (60, 1320), (71, 1320), (72, 700)])
def test_key_ranges(tmp_path, key, hertz):
    font = written(
        tmp_path,
        sound(sine(440, 2.0), high=59),
        sound(sine(1320, 2.0), low=60, high=71),
        sound(sine(700, 2.0), low=72),
    )
    assert cents(peak(played(font, key, 0.5)), hertz * 2 ** ((key - 69) / 12)) == pytest.approx(0, abs=5)


def test_keys_out_of_range_are_silent(tmp_path):
    font = written(tmp_path, sound(sine(440), low=60, high=71))
    assert [np.abs(played(font, key, 0.1)).max() > 0.01 for key in (59, 60, 71, 72)] == [0, 1, 1, 0]


def test_programs(tmp_path):
    font = tmp_path / "x.sf2"
    write_soundfont(font, "x", {73: [sound(sine(440))], 5: [sound(sine(700)), sound(sine(700))], 40: []})
    assert peak(played(font, 69, 0.1, program=73)) == pytest.approx(440, rel=0.01)
    assert peak(played(font, 69, 0.1, program=5)) == pytest.approx(700, rel=0.01)
    with pytest.raises(UserError, match="no program 6"):
        played(font, 69, 0.1, program=6)


def test_loop_lasts_and_its_absence_ends(tmp_path):
    looped = played(written(tmp_path, sound(sine(440), loop=(1000, 2000))), 69, 3.0)
    assert decibels(looped, 2.9, like=looped[: RATE // 10]) == pytest.approx(0, abs=0.5)
    assert cents(peak(looped), 440) == pytest.approx(0, abs=5)
    once = played(written(tmp_path, sound(sine(440))), 69, 3.0)
    assert np.abs(once[: RATE // 10]).max() > 0.01
    assert np.abs(once[RATE // 4 :]).max() < 1e-5


@pytest.mark.parametrize(("loop", "hertz"), [((0, 4400), 440), ((4400, 8800), 880)])
def test_bounds_of_the_loop(tmp_path, loop, hertz):
    first = sound(np.concatenate([sine(700), sine(700)]), high=0)  # shifts where the next one lies
    font = written(tmp_path, first, sound(np.concatenate([sine(440), sine(880)]), low=1, loop=loop))
    late = played(font, 69, 1.5)[RATE // 2 :]
    assert cents(peak(late), hertz) == pytest.approx(0, abs=5)
    assert np.abs(late).min() < 0.01 < np.abs(late).max()
    assert np.abs(np.diff(late)).max() < 1.1 * np.abs(late).max() * 2 * np.pi * hertz / RATE  # no clicks


def test_sustain(tmp_path):
    full, quiet = held(tmp_path), held(tmp_path, decay_s=0.2, sustain_db=20)
    assert decibels(quiet, 1.5, like=full) == pytest.approx(-20, abs=1)


def test_decay(tmp_path):
    """A fall of 100 dB takes `decay_s`; 96 dB in FluidSynth."""
    heard = held(tmp_path, decay_s=2, sustain_db=70)
    assert decibels(heard, 1.0, like=held(tmp_path)) == pytest.approx(-50, abs=3)


def test_attack(tmp_path):
    """Amplitude grows evenly: half of it is 6 dB down."""
    full, slow = held(tmp_path), held(tmp_path, attack_s=1)
    assert decibels(slow, 0.5, like=full) == pytest.approx(-6, abs=1)
    assert decibels(slow, 0.1, like=full) == pytest.approx(-20, abs=2)
    assert decibels(slow, 1.5, like=full) == pytest.approx(0, abs=0.5)


def test_release(tmp_path):
    full, slow, fast = held(tmp_path), held(tmp_path, release_s=2), held(tmp_path, release_s=0.01)
    assert decibels(slow, 2.5, like=full[: 2 * RATE]) == pytest.approx(-25, abs=2.5)
    assert decibels(fast, 2.5, like=full[: 2 * RATE]) < -80


def test_contents_are_read_back(tmp_path):
    rng = np.random.default_rng(0)
    lengths = {"one": 1001, "two": 64, "a name that is far too long for it": 5000, "Ähre": 333}
    sounds = {
        name: sound(rng.integers(-32768, 32768, n).astype(np.int16), name=name) for name, n in lengths.items()
    }
    one, two, long, odd = sounds.values()
    write_soundfont(tmp_path / "x.sf2", "x", {40: [long, odd], 3: [two, one]})
    assert presets(tmp_path / "x.sf2") == {(0, 3), (0, 40)}
    found = sounds_of(tmp_path / "x.sf2", [(0, 3), (0, 40)])
    names = {pair: [each.name.rstrip("\0") for each in several] for pair, several in found.items()}
    assert names == {(0, 3): ["two", "one"], (0, 40): ["a name that is far ", "?hre"]}
    for stored, original in zip([*found[0, 3], *found[0, 40]], [two, one, long, odd], strict=True):
        np.testing.assert_array_equal(stored.samples, original.samples)


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 253, 254, 255, 300])
def test_titles(tmp_path, length):
    """FluidSynth refuses text of odd length or above 256 bytes; the specification wants a zero at its end."""
    write_soundfont(tmp_path / "x.sf2", "t" * length, {0: [sound(sine(440))]})
    Synthesizer(tmp_path / "x.sf2")
    data = (tmp_path / "x.sf2").read_bytes()
    start = data.index(b"INAM") + 8
    size = struct.unpack_from("<I", data, start - 4)[0]
    assert (size % 2, data[start + size - 1]) == (0, 0)
    assert data[start : start + size].rstrip(b"\0") == b"t" * min(length, 254)
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8


@pytest.mark.parametrize("programs", [{}, {0: []}])
def test_no_sound_is_refused(tmp_path, programs):
    with pytest.raises(UserError, match=r"x\.sf2: no sound"):
        write_soundfont(tmp_path / "x.sf2", "x", programs)
    assert not (tmp_path / "x.sf2").exists()


@given(st.floats(1e-3, 20))
def test_timecents(seconds):
    assert abs(cents(2 ** (timecents(seconds) / 1200), seconds)) < 1


def test_timecents_stay_within_the_format(tmp_path):
    assert [timecents(seconds) for seconds in (0, -1, 1e-9, 1, 1e9)] == [-12000, -12000, -12000, 0, 8000]
    assert np.abs(held(tmp_path, attack_s=0, release_s=1e9)).max() > 0.01
