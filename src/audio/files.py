"""Sound files in, arrays out: whole or in part, mono or stereo, at the wanted sample rate."""

import math
import re
from pathlib import Path

import numpy as np
import soundfile

from src.errors import UserError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
SILENCE = 1e-4
"""Amplitude below which a file counts as silent: -80 dB of full scale."""
_LONGEST_NAME = 160  # bytes; file systems end at 255
_MARGIN_S = 0.1  # read on both sides of a part; longer than the resampler's filter


def plain_name(name: str) -> str:
    """Give the end of a name as part of a file's, with hyphens for all but letters, digits, `_`, `+` and `-`."""
    plain = re.sub(r"[^\w+-]", "-", name).encode()
    return plain[-_LONGEST_NAME:].decode(errors="ignore")


def audio_files(path: Path) -> list[Path]:
    """List a sound file, or the sound files of a folder and of those in it, sorted.

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
        sample_rate: wanted, in Hz; the sound is resampled (soxr, high quality) where the file's differs.
        channels: 1 takes the mean of the file's; 2 takes both of a stereo file, else the mean twice.

    Returns:
        float32 (samples,) of one channel, (2, samples) of two; -1..1.

    Raises:
        UserError: the file is missing, unreadable, empty, silent or not finite.
    """
    try:
        read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        reason = "is not there" if not path.exists() else "is no readable sound file"
        raise UserError(f"{path} {reason}; give a file in {', '.join(SUFFIXES)}") from error
    if read.size == 0:
        raise UserError(f"{path} is empty; give a file with sound in it")
    if not np.isfinite(read).all():
        raise UserError(f"{path} holds samples that are no numbers; write it again")
    waveform = _mixed(read, channels)
    if np.abs(waveform).max() < SILENCE:
        raise UserError(f"{path} is silent; give a file with sound in it")
    waveform = waveform if rate == sample_rate else _resampled(waveform, rate, sample_rate)
    return waveform[0] if channels == 1 else waveform


def read_part(
    file: soundfile.SoundFile, start: int, length: int, sample_rate: int, channels: int
) -> np.ndarray:
    """Read a part of a sound file by seeking; what lies past its end is 0.

    Where the file is resampled a little more is read on both sides, from a sample that both rates share, so that
    the part is what the whole file would give.

    Args:
        file: opened to read.
        start: of the part, in samples at the wanted rate, >= 0.
        length: of the part, likewise.
        sample_rate: wanted, in Hz.
        channels: 1 or 2, see `read_audio`.

    Returns:
        float32 (channels, length).
    """
    rate = file.samplerate
    shared = math.gcd(rate, sample_rate)  # a second is cut into so many steps that both rates have samples at
    step, step_wanted = rate // shared, sample_rate // shared
    margin = 0 if rate == sample_rate else math.ceil(_MARGIN_S * shared)
    first = max(0, start // step_wanted - margin)
    last = -(-(start + length) // step_wanted) + margin
    file.seek(min(first * step, file.frames))
    waveform = _mixed(file.read((last - first) * step, dtype="float32", always_2d=True), channels)
    if rate != sample_rate and waveform.shape[1]:
        waveform = _resampled(waveform, rate, sample_rate)
    part = waveform[:, start - first * step_wanted :][:, :length]
    return np.pad(part, ((0, 0), (0, length - part.shape[1])))


def _mixed(read: np.ndarray, channels: int) -> np.ndarray:
    """From (samples, channels of the file) to (channels, samples)."""
    if channels == 2 == read.shape[1]:
        return np.ascontiguousarray(read.T)
    return np.repeat(read.mean(axis=1, dtype=np.float32)[None], channels, axis=0)


def _resampled(waveform: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    import librosa  # half a second, needed only here

    resampled = librosa.resample(waveform, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq")
    return np.asarray(resampled, dtype=np.float32)
