"""Sound files in, mono arrays out."""

from pathlib import Path

import numpy as np
import soundfile

from src.errors import UserError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
SILENCE = 1e-4
"""Amplitude below which a file counts as silent: -80 dB of full scale."""


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


def read_audio(path: Path, sample_rate: int) -> np.ndarray:
    """Read a sound file as mono, the mean of its channels.

    Args:
        path: a wav, flac, mp3 or ogg file.
        sample_rate: wanted, in Hz; the sound is resampled (soxr, high quality) where the file's differs.

    Returns:
        float32 (samples,), -1..1.

    Raises:
        UserError: the file is missing, unreadable, empty, silent or not finite.
    """
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        reason = "is not there" if not path.exists() else "is no readable sound file"
        raise UserError(f"{path} {reason}; give a file in {', '.join(SUFFIXES)}") from error
    waveform = channels.mean(axis=1, dtype=np.float32)
    if waveform.size == 0:
        raise UserError(f"{path} is empty; give a file with sound in it")
    if not np.isfinite(waveform).all():
        raise UserError(f"{path} holds samples that are no numbers; write it again")
    if np.abs(waveform).max() < SILENCE:
        raise UserError(f"{path} is silent; give a file with sound in it")
    return waveform if rate == sample_rate else _resampled(waveform, rate, sample_rate)


def _resampled(waveform: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    import librosa  # half a second, needed only here

    resampled = librosa.resample(waveform, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq")
    return np.asarray(resampled, dtype=np.float32)
