import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest

from src.audio import fluid
from src.audio.score import Instrument, ScoreOptions, random_score
from src.audio.soundfonts.contents import presets
from src.audio.soundfonts.installed import find_soundfont
from src.audio.soundfonts.writer import Sound, write_soundfont
from src.audio.synthesis import Synthesizer
from src.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ScoreOptions(
    instruments=(
        Instrument(name="piano", program=0, low=40, high=80),
        Instrument(name="strings", program=48, low=40, high=80),
        Instrument(name="pad", program=88, low=40, high=80),
    ),
    clip_seconds=1.0,
    max_instruments=3,
    notes_per_instrument=3,
    velocity=(50, 100),
    gap=(0.0, 0.3),
    length=(0.3, 2.0),
)


def events(seed: int):
    return random_score(np.random.default_rng(seed), OPTIONS).events()


def note(pitch: int, program: int = 73, channel: int = 0):
    return [
        (0.0, mido.Message("program_change", channel=channel, program=program)),
        (0.0, mido.Message("note_on", channel=channel, note=pitch, velocity=100)),
    ]


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer(find_soundfont("TimGM6mb"))


@pytest.mark.parametrize("effects", [True, False])
def test_a_clip_does_not_depend_on_what_was_rendered_before(effects):
    used = Synthesizer(find_soundfont("TimGM6mb"), effects=effects)
    first = used.render(events(0), 1.0)
    for seed in range(1, 12):
        used.render(events(seed), 1.0)
    np.testing.assert_array_equal(used.render(events(0), 1.0), first)
    fresh = Synthesizer(find_soundfont("TimGM6mb"), effects=effects)
    np.testing.assert_array_equal(fresh.render(events(0), 1.0), first)


def test_another_process_renders_the_same(synthesizer):
    code = (
        "import sys, hashlib; sys.path.insert(0, 'tests/audio'); from test_synthesis import *;"
        "sound = Synthesizer(find_soundfont('TimGM6mb')); sound.render(events(9), 1.0);"
        "print(hashlib.sha256(sound.render(events(4), 1.0).tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == hashlib.sha256(synthesizer.render(events(4), 1.0).tobytes()).hexdigest()


def test_effects_are_heard():
    dry = Synthesizer(find_soundfont("TimGM6mb"), effects=False).render(events(1), 1.0)
    wet = Synthesizer(find_soundfont("TimGM6mb"), effects=True).render(events(1), 1.0)
    assert np.abs(dry - wet).max() > 1e-3


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100])
def test_a_sounds_at_440_hz(sample_rate):
    """Interleaved stereo taken for mono would sound at 220 Hz."""
    waveform = Synthesizer(find_soundfont("TimGM6mb"), sample_rate=sample_rate).render(note(69), 2.0)
    assert waveform.shape == (2 * sample_rate,)
    assert waveform.dtype == np.float32
    held = waveform[sample_rate // 2 :]
    spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held))))
    frequencies = np.fft.rfftfreq(len(held), 1 / sample_rate)
    assert frequencies[spectrum.argmax()] == pytest.approx(440, rel=0.01)


def test_mono_is_the_mean_of_both_channels(synthesizer, monkeypatch):
    """The level of a centred note is that of each channel, not their sum."""
    api = fluid.functions()
    settings = api.new_fluid_settings()
    api.settings_setnum(settings, b"synth.sample-rate", 22050.0)
    synth = api.new_fluid_synth(settings)
    font = api.synth_sfload(synth, str(find_soundfont("TimGM6mb")).encode(), 1)
    api.synth_program_select(synth, 0, font, 0, 73)
    api.synth_noteon(synth, 0, 69, 100)
    interleaved = np.zeros(2 * 22050, np.float32)
    api.synth_write_float(synth, 22050, interleaved.ctypes.data, 0, 2, interleaved.ctypes.data, 1, 2)
    api.delete_fluid_synth(synth)
    api.delete_fluid_settings(settings)
    expected = (interleaved[0::2] + interleaved[1::2]) / 2
    np.testing.assert_allclose(synthesizer.render(note(69), 1.0), expected, atol=1e-6)


def test_onsets_are_heard_on_time(synthesizer):
    late = [(time + 0.5, message) for time, message in note(60, program=0)]
    waveform = synthesizer.render(late, 1.0)
    start = np.flatnonzero(np.abs(waveform) > 0.1 * np.abs(waveform).max())[0] / 22050
    assert start == pytest.approx(0.5, abs=0.02)


def test_drums_and_notes_of_velocity_zero(synthesizer):
    drums = [(0.0, mido.Message("note_on", channel=9, note=38, velocity=100))]
    assert np.abs(synthesizer.render(drums, 0.5)).max() > 1e-3
    silent = [(0.0, mido.Message("note_on", note=60, velocity=0))]
    assert np.abs(synthesizer.render(silent, 0.5)).max() < 1e-4


def test_missing_program_and_broken_font_are_refused(synthesizer, tmp_path):
    with pytest.raises(UserError, match="no program 3 in bank 128"):
        synthesizer.render(note(60, program=3, channel=9), 0.1)
    (tmp_path / "broken.sf2").write_bytes(b"RIFF")
    with pytest.raises(UserError, match="cannot load"):
        Synthesizer(tmp_path / "broken.sf2")
    with pytest.raises(UserError, match=r"8000\.\.96000"):
        Synthesizer(find_soundfont("TimGM6mb"), sample_rate=100)


TRUMPET = 56
FILTER_CUTOFF, ATTACK, FINE_TUNE = 8, 34, 52
FLUTE, SAW_LEAD = 73, 81


def peak(waveform: np.ndarray, sample_rate: int = 22050) -> float:
    """The strongest frequency in Hz."""
    padded = 1 << 19
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), padded))
    return float(spectrum.argmax() * sample_rate / padded)


def centroid(waveform: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(waveform)) ** 2
    return float(np.average(np.fft.rfftfreq(len(waveform), 1 / 22050), weights=power))


def rise(waveform: np.ndarray) -> float:
    """Seconds until half of the largest amplitude."""
    return float(np.flatnonzero(np.abs(waveform) > 0.5 * np.abs(waveform).max())[0] / 22050)


def test_a_lower_cutoff_sounds_darker(synthesizer):
    plain = centroid(synthesizer.render(note(69, SAW_LEAD), 1.0))
    dark = centroid(synthesizer.render(note(69, SAW_LEAD), 1.0, generators={FILTER_CUTOFF: -4000}))
    assert dark < 0.75 * plain


def test_tuning_is_in_cents(synthesizer):
    plain = peak(synthesizer.render(note(69, FLUTE), 2.0))
    for added in (100, -30):
        tuned = peak(synthesizer.render(note(69, FLUTE), 2.0, generators={FINE_TUNE: added}))
        assert 1200 * np.log2(tuned / plain) == pytest.approx(added, abs=10)


def test_attack_is_slower(synthesizer):
    plain = rise(synthesizer.render(note(69, FLUTE), 2.0))
    assert rise(synthesizer.render(note(69, FLUTE), 2.0, generators={ATTACK: 6000})) > 1.5 * plain


def test_a_shifted_note_ends(synthesizer):
    ended = [*note(69, FLUTE), (0.3, mido.Message("note_off", note=69))]
    sound = synthesizer.render(ended, 3.0, key_shift=-5)
    assert np.abs(sound[-2000:]).max() < 1e-3 < np.abs(sound[2000:6000]).max()


def test_drums_keep_their_keys(synthesizer):
    drums = [(0.0, mido.Message("note_on", channel=9, note=38, velocity=100))]
    np.testing.assert_array_equal(synthesizer.render(drums, 0.5, key_shift=5), synthesizer.render(drums, 0.5))


def test_generators_reach_every_channel(synthesizer):
    plain, moved = (
        [
            synthesizer.render(note(69, FLUTE, channel), 0.5, generators=added)
            for channel in range(16)
            if channel != 9
        ]
        for added in (None, {FINE_TUNE: 50})
    )
    for one, other in zip(plain, moved, strict=True):
        assert np.abs(one - other).max() > 1e-2
        np.testing.assert_array_equal(other, moved[0])
    drums = [(0.0, mido.Message("note_on", channel=9, note=38, velocity=100))]
    dark = synthesizer.render(drums, 0.5, generators={FILTER_CUTOFF: -4000})
    assert centroid(dark) < 0.75 * centroid(synthesizer.render(drums, 0.5))


def test_without_generators_the_sound_is_as_it_was(synthesizer):
    plain = synthesizer.render(events(2), 1.0)
    changed = synthesizer.render(events(2), 1.0, generators={FILTER_CUTOFF: -2000, ATTACK: 1000})
    assert np.abs(plain - changed).max() > 1e-3
    for none in (None, {}, {FILTER_CUTOFF: 0.0, FINE_TUNE: 0.0}):
        np.testing.assert_array_equal(synthesizer.render(events(2), 1.0, generators=none), plain)


def two_banks(path: Path) -> Path:
    """Program 4 in bank 0 sounds at 440 Hz, in bank 8 at 660 Hz."""

    def sine(hertz: float) -> list[Sound]:
        samples = np.round(20000 * np.sin(2 * np.pi * hertz * np.arange(22050) / 22050)).astype(np.int16)
        return [Sound(name="sine", samples=samples, sample_rate=22050, low=0, high=127, root=69)]

    write_soundfont(path, "two banks", {4: sine(440), 5: sine(660)})
    header = struct.pack("<20sHH", b"program 5", 5, 0)
    content = path.read_bytes()
    assert content.count(header) == 1
    path.write_bytes(content.replace(header, struct.pack("<20sHH", b"program 5", 4, 8)))
    assert presets(path) == {(0, 4), (8, 4)}
    return path


@pytest.mark.parametrize("shift", [-24, -7, 12])
def test_another_key_plays_at_the_same_pitch(tmp_path, shift):
    synthesizer = Synthesizer(two_banks(tmp_path / "sines.sf2"), effects=False)
    plain = synthesizer.render(note(69, 4), 0.5)
    shifted = synthesizer.render(note(69, 4), 0.5, key_shift=shift)
    assert peak(shifted) == pytest.approx(peak(plain), rel=1e-3)


def test_another_keys_recording_is_taken(synthesizer):
    shifted = synthesizer.render(note(69, TRUMPET), 1.0, key_shift=-12)
    assert centroid(shifted) > 1.2 * centroid(synthesizer.render(note(69, TRUMPET), 1.0))


def test_banks(tmp_path):
    banks = Synthesizer(two_banks(tmp_path / "banks.sf2"))
    assert peak(banks.render(note(69, 4), 0.8)) == pytest.approx(440, rel=1e-3)
    assert peak(banks.render(note(69, 4), 0.8, bank=8)) == pytest.approx(660, rel=1e-3)
    with pytest.raises(UserError, match=r"banks\.sf2 has no program 4 in bank 3; choose another"):
        banks.render(note(69, 4), 0.1, bank=3)
    with pytest.raises(UserError, match="no program 5 in bank 8"):
        banks.render(note(69, 5), 0.1, bank=8)


def test_drums_stay_in_their_bank(synthesizer):
    kit = [(0.0, mido.Message("program_change", channel=9, program=8)), *note(38, 8, 9)[1:]]
    np.testing.assert_array_equal(synthesizer.render(kit, 0.3, bank=5), synthesizer.render(kit, 0.3))


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )


NO_LIBRARY = "import ctypes.util; ctypes.util.find_library = lambda name: None; import os;"
PLAY = (
    "from src.audio import fluid; from src.audio.soundfonts.installed import find_soundfont;"
    "from src.audio.synthesis import Synthesizer; import mido;"
    "sound = Synthesizer(find_soundfont('TimGM6mb')).render([(0, mido.Message('note_on', note=60))], .5);"
    "assert abs(sound).max() > 1e-3; print(fluid.version())"
)


@pytest.mark.skipif(fluid.bundled_library() is None, reason="pygame-ce is not installed")
def test_library_of_pygame_is_used_where_there_is_no_other():
    done = run(NO_LIBRARY + PLAY, HOMEBREW_PREFIX="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()[0].isdigit()
    assert done.stderr == ""


@pytest.mark.skipif(fluid.bundled_library() is None, reason="pygame-ce is not installed")
def test_library_can_be_chosen():
    done = run(PLAY, **{fluid.LIBRARY_VARIABLE: str(fluid.bundled_library())})
    assert done.returncode == 0, done.stderr
    named = run(
        PLAY + "; import fluidsynth; print(fluidsynth.lib)",
        **{fluid.LIBRARY_VARIABLE: str(fluid.bundled_library())},
    )
    assert named.stdout.split()[-1] == str(fluid.bundled_library())


def test_no_library_at_all_is_said():
    code = (
        NO_LIBRARY + "from src.audio import fluid; fluid.bundled_library = lambda: None\n"
        "from src.errors import UserError\ntry: fluid.functions()\nexcept UserError as error: print(error)"
    )
    done = run(code, HOMEBREW_PREFIX="")
    assert "make setup" in done.stdout, done.stderr
    assert "pip install pygame-ce" in done.stdout
