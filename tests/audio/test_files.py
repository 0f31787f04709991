from pathlib import Path

import numpy as np
import pytest
import soundfile

from src.audio.files import audio_files, read_audio
from src.errors import UserError


def tone(rate: int, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg"])
def test_formats_are_read_as_mono_at_the_wanted_rate(tmp_path: Path, suffix: str):
    path = tmp_path / f"é [x] #1{suffix}"
    soundfile.write(path, np.stack([tone(44100), np.zeros(44100)], axis=1), 44100)
    waveform = read_audio(path, 22050)
    assert waveform.dtype == np.float32
    assert len(waveform) == pytest.approx(22050, abs=1300)  # mp3 pads
    middle = waveform[6000:16000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 22050 / len(middle) == pytest.approx(440, rel=0.01)
    assert np.abs(middle).max() == pytest.approx(0.25, rel=0.05)  # the mean of .5 and 0


def test_a_file_at_the_right_rate_is_left_as_it_is(tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", tone(8000), 8000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav", 8000), tone(8000))


@pytest.mark.parametrize(
    ("samples", "says"),
    [(np.zeros(0), "is empty"), (np.zeros(100), "is silent"), (np.array([0.1, np.nan]), "no numbers")],
)
def test_files_without_sound_are_named(tmp_path: Path, samples, says):
    soundfile.write(tmp_path / "bad.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(UserError, match=rf"bad\.wav.* {says}|bad\.wav {says}"):
        read_audio(tmp_path / "bad.wav", 8000)


def test_unreadable_and_missing_files_are_named(tmp_path: Path):
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(UserError, match=r"text\.wav is no readable sound file"):
        read_audio(tmp_path / "text.wav", 8000)
    with pytest.raises(UserError, match=r"gone\.wav is not there"):
        read_audio(tmp_path / "gone.wav", 8000)


def test_folders_are_searched(tmp_path: Path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.FLAC", "1.wav", "notes.txt"):
        (tmp_path / name).touch()
    assert audio_files(tmp_path) == [tmp_path / "1.wav", tmp_path / "b" / "2.FLAC"]
    assert audio_files(tmp_path / "1.wav") == [tmp_path / "1.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no sound file"):
        audio_files(tmp_path / "empty")
    with pytest.raises(UserError, match="does not exist"):
        audio_files(tmp_path / "gone")
