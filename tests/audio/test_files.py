import os
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from src.audio.files import read_audio, read_blocks, read_excerpt
from src.audio.sound_file import SoundFile
from src.errors import UserError
from tests.datamodules.sounds import cut_off


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
    [(np.zeros(0), "is empty"), (np.zeros(100), "is silent"), (np.array([0.1, np.nan]), "contains NaN")],
)
def test_files_without_sound_are_named(tmp_path: Path, samples, says):
    soundfile.write(tmp_path / "bad.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(UserError, match=rf"bad\.wav.* {says}|bad\.wav {says}"):
        read_audio(tmp_path / "bad.wav", 8000)


def test_unreadable_and_missing_files_are_named(tmp_path: Path):
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(UserError, match=r"text\.wav cannot be read as a sound file"):
        read_audio(tmp_path / "text.wav", 8000)
    (tmp_path / "nothing.wav").touch()
    with pytest.raises(UserError, match=r"nothing\.wav is empty; give"):
        read_audio(tmp_path / "nothing.wav", 8000)
    with pytest.raises(UserError, match=r"gone\.wav does not exist"):
        read_audio(tmp_path / "gone.wav", 8000)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".ogg"])
def test_a_file_of_which_the_end_is_missing_is_refused(tmp_path: Path, suffix: str):
    path = tmp_path / f"half{suffix}"
    soundfile.write(path, np.tile(tone(22050), 5), 22050)
    cut_off(path)
    with pytest.raises(
        UserError, match=r"half\..* is cut off: it is shorter than its header says; get it again"
    ):
        read_audio(path, 22050)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_both_channels_are_kept_and_others_are_averaged(tmp_path: Path, suffix: str):
    sides = np.stack([tone(8000), tone(8000, 300.0), tone(8000, 200.0)], axis=1)
    for n, expected in (
        (2, sides[:, :2].T),
        (1, sides[:, :1].T[[0, 0]]),
        (3, sides.mean(axis=1)[None][[0, 0]]),
    ):
        soundfile.write(tmp_path / f"{n}{suffix}", sides[:, :n], 8000)
        np.testing.assert_allclose(read_audio(tmp_path / f"{n}{suffix}", 8000, 2), expected, atol=1e-4)


def test_channels_that_cancel_are_silent_in_mono_only(tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", np.stack([tone(8000), -tone(8000)], axis=1), 8000, subtype="FLOAT")
    assert read_audio(tmp_path / "x.wav", 8000, 2).shape == (2, 8000)
    with pytest.raises(UserError, match=r"x\.wav has no sound in mono: its channels cancel each other"):
        read_audio(tmp_path / "x.wav", 8000)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("rate", [8000, 11025])
def test_a_part_is_what_the_whole_has_there(tmp_path: Path, suffix: str, rate: int):
    noise = 0.1 * np.random.default_rng(0).standard_normal((3 * 22050, 2))
    soundfile.write(tmp_path / f"x{suffix}", noise, 22050)
    whole = read_audio(tmp_path / f"x{suffix}", rate, 2)
    with SoundFile(tmp_path / f"x{suffix}") as file:
        for start, length in ((0, 500), (rate, 1000), (whole.shape[1] - 300, 1000), (5000, 1)):
            part = read_excerpt(file, start, length, rate, 2)
            expected = whole[:, start : start + length]
            assert part.shape == (2, length)
            np.testing.assert_allclose(part[:, : expected.shape[1]], expected, atol=2e-3)
            assert not part[:, expected.shape[1] :].any()


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 22050), (22050, 16000), (8000, 44100)])
@pytest.mark.parametrize("samples", [1, 7, 44101])
def test_resampling_is_librosas_to_the_bit(tmp_path: Path, rate: int, wanted: int, samples: int):
    written = 0.1 + 0.2 * np.random.default_rng(0).random((samples, 2))
    soundfile.write(tmp_path / "a.wav", written, rate, subtype="FLOAT")
    expected = librosa.resample(
        written.T.astype(np.float32), orig_sr=rate, target_sr=wanted, res_type="soxr_hq"
    )
    assert np.array_equal(read_audio(tmp_path / "a.wav", wanted, channels=2), expected)


@pytest.mark.parametrize(
    ("rate", "channels", "level", "says"),
    [
        (1, 1, 1.0, "has a sample rate outside 1 to 768 kHz"),
        (800_000, 1, 1.0, "has a sample rate outside 1 to 768 kHz"),
        (8000, 65, 1.0, "has more than 64 channels"),
        (8000, 1, 1e30, "has samples of more than a million times full scale"),
    ],
)
def test_what_is_out_of_bounds_is_named(tmp_path: Path, rate: int, channels: int, level: float, says: str):
    path = tmp_path / "x.wav"
    soundfile.write(path, level * np.tile(tone(8000)[:, None], channels), rate, subtype="FLOAT")
    with pytest.raises(UserError, match=rf"x\.wav {says}"):
        read_audio(path, 8000)


def test_a_length_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    soundfile.write(tmp_path / "x.wav", np.tile(tone(1000), 61), 1000)
    monkeypatch.setattr("src.audio.files.WHOLE_MINUTES", 1)
    with pytest.raises(UserError, match="is longer than 1 minutes"):
        read_audio(tmp_path / "x.wav", 8000)
    monkeypatch.setattr("src.audio.files.MAX_HOURS", 60 / 3600)
    with pytest.raises(UserError, match="is longer than 24 hours"):
        list(read_blocks(tmp_path / "x.wav", 8000))


@pytest.mark.parametrize("wanted", [8000, 11025])
def test_blocks_are_the_whole_file(tmp_path: Path, wanted: int):
    noise = (0.1 * np.random.default_rng(0).standard_normal((25 * 8000, 2))).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", noise, 8000, subtype="FLOAT")
    expected = librosa.resample(noise.T, orig_sr=8000, target_sr=wanted, res_type="soxr_hq")
    blocks = list(read_blocks(tmp_path / "x.wav", wanted, 2))
    assert len(blocks) >= 3
    assert np.array_equal(np.concatenate(blocks, axis=1), expected)


def test_the_number_of_samples_that_a_header_claims_is_not_believed(tmp_path: Path):
    """As that of a FLAC file (36 bits from byte 21.5 on), which would be 256 GB."""
    soundfile.write(tmp_path / "x.flac", tone(8000), 8000)
    content = bytearray((tmp_path / "x.flac").read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    (tmp_path / "x.flac").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.flac cannot be decoded to its end"):
        read_audio(tmp_path / "x.flac", 8000)


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", tone(8000), 8000, subtype="FLOAT")
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    (tmp_path / "x.wav").rename(path)
    np.testing.assert_array_equal(read_audio(path, 8000), tone(8000))


def test_a_sample_of_no_bits_is_one_line(tmp_path: Path):
    soundfile.write(tmp_path / "x.wav", tone(8000), 8000, subtype="PCM_16")
    content = (tmp_path / "x.wav").read_bytes()
    (tmp_path / "x.wav").write_bytes(content[:32] + bytes(4) + content[36:])
    with pytest.raises(UserError) as error:
        read_audio(tmp_path / "x.wav", 8000)
    assert str(error.value).startswith(
        f"{tmp_path / 'x.wav'} cannot be read as a sound file, whatever its name says; give a file in "
    )
