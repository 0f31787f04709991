"""Reads sound files into arrays: whole files or excerpts, mono or stereo, at the wanted sample rate."""

import math
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr

from src.errors import UserError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
SILENCE = 1e-4
"""Amplitude below which a file counts as silent: -80 dB of full scale."""
_LONGEST_NAME = 160  # bytes; file systems end at 255
_MARGIN_S = 0.1  # read on both sides of an excerpt; longer than the resampler's filter


def plain_name(name: str) -> str:
    """Return a name that is safe in a file name: hyphens replace all but letters, digits, `_`, `+` and `-`."""
    plain = re.sub(r"[^\w+-]", "-", name).encode()
    return plain[-_LONGEST_NAME:].decode(errors="ignore")


def audio_files(path: Path) -> list[Path]:
    """Return a sound file, or the sorted sound files of a folder and its subfolders.

    Raises:
        UserError: nothing is there, or no sound file is in the folder.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} does not exist; give a sound file or a folder of them")
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise UserError(f"no sound file in {path}; put {', '.join(SUFFIXES)} files there")
    return files


def read_audio(path: Path, sample_rate: int, channels: int = 1) -> np.ndarray:
    """Read a sound file.

    Args:
        path: a wav, flac, mp3 or ogg file.
        sample_rate: of the result, in Hz; a file with another rate is resampled (soxr, high quality).
        channels: 1: the mean of the file's channels; 2: both channels of a stereo file, else the mean twice.

    Returns:
        float32 (samples,) for one channel, (2, samples) for two; -1..1.

    Raises:
        UserError: the file is missing, unreadable, empty, silent or not finite.
    """
    try:
        read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        reason = "does not exist" if not path.exists() else "cannot be read as a sound file"
        raise UserError(f"{path} {reason}; give a file in {', '.join(SUFFIXES)}") from error
    if read.size == 0:
        raise UserError(f"{path} is empty; give a file with sound in it")
    if not np.isfinite(read).all():
        raise UserError(f"{path} contains NaN or infinite samples; write it again")
    waveform = _mixed(read, channels)
    if np.abs(waveform).max() < SILENCE:
        raise UserError(f"{path} is silent; give a file with sound in it")
    waveform = waveform if rate == sample_rate else _resampled(waveform, rate, sample_rate)
    return waveform[0] if channels == 1 else waveform


def read_excerpt(
    file: soundfile.SoundFile, start: int, length: int, sample_rate: int, channels: int
) -> np.ndarray:
    """Read an excerpt of a sound file by seeking, zero-padded where it exceeds the end of the file.

    An excerpt that is resampled agrees with the same excerpt of the whole file resampled: a margin is read on both
    sides, beginning at an instant at which both rates have a sample.

    Args:
        file: opened for reading.
        start: first sample of the excerpt at `sample_rate`, >= 0.
        length: number of samples at `sample_rate`.
        sample_rate: of the result, in Hz.
        channels: 1 or 2, see `read_audio`.

    Returns:
        float32 (channels, length).
    """
    rate = file.samplerate
    # Both rates have samples at the same instants gcd times a second: whole steps between these keep the phase.
    shared = math.gcd(rate, sample_rate)
    step, step_wanted = rate // shared, sample_rate // shared
    margin = 0 if rate == sample_rate else math.ceil(_MARGIN_S * shared)
    first = max(0, start // step_wanted - margin)
    last = -(-(start + length) // step_wanted) + margin
    file.seek(min(first * step, file.frames))
    waveform = _mixed(file.read((last - first) * step, dtype="float32", always_2d=True), channels)
    if rate != sample_rate and waveform.shape[1]:
        waveform = _resampled(waveform, rate, sample_rate)
    excerpt = waveform[:, start - first * step_wanted :][:, :length]
    return np.pad(excerpt, ((0, 0), (0, length - excerpt.shape[1])))


def _mixed(read: np.ndarray, channels: int) -> np.ndarray:
    """Mix (samples, channels of the file) down or up to (channels, samples)."""
    if channels == 2 == read.shape[1]:
        return np.ascontiguousarray(read.T)
    return np.repeat(read.mean(axis=1, dtype=np.float32)[None], channels, axis=0)


def _resampled(waveform: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Return (channels, samples) at another rate, as long as `librosa.resample` makes it."""
    length = math.ceil(waveform.shape[1] * (sample_rate / rate))
    resampled = np.stack([soxr.resample(channel, rate, sample_rate, quality="HQ") for channel in waveform])
    return np.pad(resampled[:, :length], ((0, 0), (0, max(0, length - resampled.shape[1]))))
