"""Blocks of sound, one after another: mixed, resampled, cut."""

from collections.abc import Iterator

import av
import numpy as np
import soxr

from src.audio.sound_file import SoundFile


def to_float(frame: av.AudioFrame) -> av.AudioResampler:
    """Return what converts frames like this one to float32, and more than two channels to stereo."""
    layout = frame.layout if len(frame.layout.channels) <= 2 else "stereo"
    return av.AudioResampler(
        format="fltp", layout=layout, rate=frame.sample_rate, options={"rematrix_maxval": "1.0"}
    )


def with_channels(sound: np.ndarray, channels: int) -> np.ndarray:
    """Make sound (1 or 2, samples) mono or stereo."""
    if len(sound) == channels:
        return sound
    if channels == 1:
        return np.asarray(sound.mean(axis=0, keepdims=True, dtype=np.float32))
    return np.repeat(sound, 2, axis=0)


def resampled(blocks: Iterator[np.ndarray], rate: int, wanted: int, channels: int) -> Iterator[np.ndarray]:
    """Yield blocks (channels, samples) at another sample rate, Hz (soxr, high quality)."""
    stream = soxr.ResampleStream(rate, wanted, channels, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block.T)).T
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True).T


def excerpt(blocks: Iterator[np.ndarray], first: int, last: int | None) -> Iterator[np.ndarray]:
    """Yield samples first..last of a stream of blocks (channels, samples)."""
    position = 0
    for block in blocks:
        chunk = block[:, max(0, first - position) : None if last is None else max(0, last - position)]
        position += block.shape[1]
        if chunk.shape[1]:
            yield chunk
        if last is not None and position >= last:
            return


def positioned(file: SoundFile, channels: int, first: int) -> Iterator[tuple[int, np.ndarray]]:
    """Decode a file from sample `first` on: position and sound (channels, samples) of each second of it."""
    file.seek(first)
    while len(read := file.read(file.samplerate)):
        sound = read.T if read.shape[1] <= 2 else read.mean(axis=1, dtype=np.float32)[None]
        yield first, with_channels(np.ascontiguousarray(sound), channels)
        first += len(read)
