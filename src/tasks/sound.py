"""Reads sound files in windows, for networks that take spectrograms or sequences."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src.audio.files import SILENCE, read_blocks
from src.errors import UserError
from src.tasks.base import Windows

BATCH = 32
"""Windows that are passed through the network at once, unless they are long."""

MOST_SAMPLES_OF_BATCH = 2**23
"""Most samples of several windows, of all channels; their spectra take a hundred times as many bytes."""

MOST_SAMPLES = 2**25
"""Most samples of a window, of all channels: 12 minutes of mono at 44.1 kHz."""

Sound = NDArray[np.float32]


class Features(Protocol):
    """Converts windows of sound to a network's inputs.

    Attributes:
        sample_rate: of the sound, Hz.
        channels: of the sound, 1 or 2.
        seconds: length of a window.
    """

    sample_rate: int
    channels: int
    seconds: float

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        """Map windows (B, channels, samples) to the arguments of `Learner.predict`."""


class SoundReader:
    """Cuts a file into windows that overlap by half; a shorter file is one window.

    Args:
        features: of the windows.
        repeats: whether a file shorter than a window is repeated, as in training; else it is padded with silence.

    Raises:
        UserError: a window has no sample, or more than memory is for.
    """

    def __init__(self, features: Features, *, repeats: bool) -> None:
        if not 1 <= features.seconds * features.sample_rate * features.channels <= MOST_SAMPLES:
            raise UserError(
                f"windows of {features.seconds:g} s have none or more than {MOST_SAMPLES} samples"
            )
        self.features, self._repeats = features, repeats

    def __call__(self, file: Path) -> Windows:
        """Read a file; the last window is padded with 0.

        It is decoded twice, once to see whether all of it can be used, so that never all of it is in memory.

        Raises:
            UserError: it can't be read, is empty or silent.
        """
        rate, seconds = self.features.sample_rate, self.features.seconds
        samples, length = 0, round(seconds * rate)

        def counted() -> Iterator[Sound]:
            nonlocal samples
            for block in self._blocks(file):
                samples += block.shape[1]
                yield block

        # Relative to its maximum, the noise of a silent window could look like any class.
        loudest = [np.abs(windows).max((1, 2)) for windows in _windows(counted(), length)]
        starts_s = [start / rate for start in _starts(samples, length)]
        ends_s = [min(start + seconds, samples / rate) for start in starts_s]
        silent = np.concatenate(loudest) < SILENCE
        return Windows(starts_s, ends_s, silent, self._batches(file, samples, length))

    def _batches(self, file: Path, samples: int, length: int) -> Iterator[tuple[Tensor, ...]]:
        for windows in _windows(self._blocks(file), length):
            if self._repeats and samples < length:
                windows = np.tile(windows[..., :samples], -(-length // samples))[..., :length]
            yield self.features(windows)

    def _blocks(self, file: Path) -> Iterator[Sound]:
        return read_blocks(file, self.features.sample_rate, self.features.channels)


def window_seconds(data: Mapping[str, Any]) -> float | None:
    """Return the length in seconds of items of a data set with these options; `None` where it is unknown."""
    lengths = [data[key] for key in ("clip_seconds", "window_seconds") if data.get(key) is not None]
    return float(lengths[0]) if lengths else None


def _starts(samples: int, length: int) -> list[int]:
    """Return where windows start: every half length, as long as they have sound that the one before does not."""
    hop = _hop(length)
    return [start for start in range(0, samples, hop) if start == 0 or start + hop < samples]


def _hop(length: int) -> int:
    return max(1, length // 2)


def _windows(blocks: Iterator[Sound], length: int) -> Iterator[Sound]:
    """Yield batches of windows (B, channels, length) of blocks (channels, samples), the last padded with 0."""
    held: list[Sound] = []
    hop = _hop(length)
    step = BATCH * hop
    for block in blocks:
        held.append(block)
        if sum(part.shape[1] for part in held) > step + length:
            sound = np.concatenate(held, axis=1)
            while sound.shape[1] > step + length:
                yield from _cut(sound, range(0, step, hop), length)
                sound = sound[:, step:]
            held = [sound]
    sound = np.concatenate(held, axis=1)
    yield from _cut(sound, _starts(sound.shape[1], length), length)


def _cut(sound: Sound, starts: Sequence[int], length: int) -> Iterator[Sound]:
    """Yield batches of windows (B, channels, length) of sound (channels, samples), padded with 0."""
    size = max(1, min(BATCH, MOST_SAMPLES_OF_BATCH // (len(sound) * length)))
    for first in range(0, len(starts), size):
        windows = np.zeros((len(starts[first : first + size]), len(sound), length), np.float32)
        for window, start in zip(windows, starts[first : first + size], strict=True):
            excerpt = sound[:, start : start + length]
            window[:, : excerpt.shape[1]] = excerpt
        yield windows
