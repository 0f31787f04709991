"""Reads sound files into arrays: whole files or excerpts, mono or stereo, at the wanted sample rate."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from src.audio.sound_file import SoundFile
from src.audio.truncation import CUT_OFF, is_truncated
from src.errors import UserError

SILENCE = 1e-4
"""Amplitude below which a file counts as silent: -80 dB of full scale."""
RATES_HZ = range(1_000, 768_001)
MAX_CHANNELS = 64
MAX_HOURS = 24
MAX_AMPLITUDE = 1e6
"""Of full scale; the squares of 1e20 and more are infinite."""

WRONG_RATE = "has a sample rate outside 1 to 768 kHz"
TOO_MANY_CHANNELS = f"has more than {MAX_CHANNELS} channels"
TOO_LONG = f"is longer than {MAX_HOURS} hours"
TOO_LOUD = "has samples of more than a million times full scale"
CANCELS = "has no sound in mono: its channels cancel each other"

_CANCELLED = 1e-3  # of the channels' own amplitude: -60 dB

WHOLE_MINUTES = 10
"""A file that is longer is not read as a whole."""
_BLOCK_S = 10
_BLOCK_VALUES = 2**20  # of all channels
_LONGEST_NAME = 160  # bytes; file systems end at 255
_MARGIN_S = 0.1  # read on both sides of an excerpt; longer than the resampler's filter


def out_of_bounds(rate: int, channels: int, samples: float = 0) -> str:
    """Return why a sound is not read; empty if it is. A header may claim anything, and what it claims costs memory.

    Args:
        rate: its sample rate, Hz.
        channels: how many it has.
        samples: of each channel, as far as is known.
    """
    if rate not in RATES_HZ:
        return WRONG_RATE
    if channels > MAX_CHANNELS:
        return TOO_MANY_CHANNELS
    return TOO_LONG if samples > MAX_HOURS * 3600 * rate else ""


def plain_name(name: str) -> str:
    """Return a name that is safe in a file name: hyphens replace all but letters, digits, `_`, `+` and `-`."""
    plain = re.sub(r"[^\w+-]", "-", name).encode()
    return plain[-_LONGEST_NAME:].decode(errors="ignore")


def mixes(channels_of_file: int, channels: int) -> bool:
    """Whether the channels of a file are averaged, so that they may cancel each other.

    Args:
        channels_of_file: how many it has.
        channels: wanted, 1 or 2, see `read_audio`.
    """
    return channels_of_file > 1 and not channels == 2 == channels_of_file


def cancel(loudest: float, loudest_mean: float) -> bool:
    """Whether channels cancel each other: what is left of them in mono is silent, or noise of rounding or of coding.

    Args:
        loudest: greatest amplitude in any channel.
        loudest_mean: that of the mean of all channels.
    """
    return loudest >= SILENCE and loudest_mean < max(SILENCE, _CANCELLED * loudest)


def peaks(read: np.ndarray) -> tuple[float, float]:
    """Return the greatest amplitude in any channel, and that of the mean of all channels, of (samples, channels)."""
    return float(np.abs(read).max(initial=0.0)), float(np.abs(_mixed(read, 1)).max(initial=0.0))


def read_audio(path: Path, sample_rate: int, channels: int = 1) -> np.ndarray:
    """Read a whole sound file, of `WHOLE_MINUTES` at most.

    Args:
        path: a sound file, see `src.audio.sound_file.SoundFile`.
        sample_rate: of the result, in Hz; a file with another rate is resampled (soxr, high quality).
        channels: 1: the mean of the file's channels; 2: both channels of a stereo file, else the mean twice.

    Returns:
        float32 (samples,) for one channel, (2, samples) for two; -1..1.

    Raises:
        UserError: the file is longer, or `read_blocks` refuses it.
    """
    blocks, samples = [], 0
    for block in read_blocks(path, sample_rate, channels):
        blocks.append(block)
        samples += block.shape[1]
        if samples > WHOLE_MINUTES * 60 * sample_rate:
            raise UserError(f"{path} is longer than {WHOLE_MINUTES} minutes; cut it")
    waveform = np.concatenate(blocks, axis=1)
    return waveform[0] if channels == 1 else waveform


def read_blocks(path: Path, sample_rate: int, channels: int = 1) -> Iterator[np.ndarray]:
    """Decode a sound file block by block, so that a file of any length takes little memory.

    What a header says of the length is not believed, but where it says more than there is, the file is refused: as in
    data that a network is trained on (`src.preparation.survey`), what is missing might have been the answer.

    Args:
        path: a sound file, see `src.audio.sound_file.SoundFile`.
        sample_rate: of the blocks, in Hz, see `read_audio`.
        channels: 1 or 2, see `read_audio`.

    Yields:
        float32 (channels, samples), samples > 0; put together they are the whole file, resampled as a whole.

    Raises:
        UserError: the file is missing, unreadable, out of bounds (`out_of_bounds`), cut off, empty, silent or
            not finite; or its channels cancel each other; some of this shows after the last block.
    """
    with SoundFile(path) as file:
        blocks = _decoded(file, path, channels)
        if file.samplerate != sample_rate:
            blocks = _resampled_blocks(blocks, file.samplerate, sample_rate, channels)
        yield from (block for block in blocks if block.shape[1])


def _decoded(file: SoundFile, path: Path, channels: int) -> Iterator[np.ndarray]:
    """Yield blocks (channels, samples) at the file's own rate, and refuse what `read_blocks` refuses."""
    samples, loudest, loudest_mean = 0, 0.0, 0.0
    if problem := out_of_bounds(file.samplerate, file.channels):
        raise UserError(f"{path} {problem}; write it again")
    size = min(_BLOCK_S * file.samplerate, _BLOCK_VALUES // file.channels)
    while len(read := file.read(size)):
        samples += len(read)
        if problem := _unusable(read) or out_of_bounds(file.samplerate, file.channels, samples):
            raise UserError(f"{path} {problem}; write it again")
        peak, peak_of_mean = peaks(read)
        loudest, loudest_mean = max(loudest, peak), max(loudest_mean, peak_of_mean)
        yield _mixed(read, channels)
    if samples < (file.claimed or 0) or is_truncated(path, samples):
        raise UserError(f"{path} {CUT_OFF}; get it again")
    if loudest < SILENCE:
        raise UserError(f"{path} is {'silent' if samples else 'empty'}; give a file with sound in it")
    if mixes(file.channels, channels) and cancel(loudest, loudest_mean):
        raise UserError(f"{path} {CANCELS}; give one of them, or turn the phase of one")


def _unusable(read: np.ndarray) -> str:
    """Return why samples can't be used; empty if they can."""
    if not np.isfinite(read).all():
        return "contains NaN or infinite samples"
    return TOO_LOUD if np.abs(read).max() > MAX_AMPLITUDE else ""


def read_excerpt(file: SoundFile, start: int, length: int, sample_rate: int, channels: int) -> np.ndarray:
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
    file.seek(first * step)
    waveform = _mixed(file.read((last - first) * step), channels)
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


def _resampled_blocks(
    blocks: Iterator[np.ndarray], rate: int, sample_rate: int, channels: int
) -> Iterator[np.ndarray]:
    """Yield blocks at another rate that are together what `_resampled` makes of the whole."""
    stream = soxr.ResampleStream(rate, sample_rate, channels, dtype="float32", quality="HQ")
    read = made = 0
    for block in blocks:
        resampled = stream.resample_chunk(np.ascontiguousarray(block.T)).T
        read, made = read + block.shape[1], made + resampled.shape[1]
        yield resampled
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True).T
    length = max(0, math.ceil(read * (sample_rate / rate)) - made)
    yield np.pad(rest[:, :length], ((0, 0), (0, max(0, length - rest.shape[1]))))
