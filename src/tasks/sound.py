"""Reads sound files in windows, for networks that take spectrograms or sequences."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src.audio.files import SILENCE, read_audio
from src.tasks.base import Windows

BATCH = 32
"""Windows that are passed through the network at once."""

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
    """

    def __init__(self, features: Features, *, repeats: bool) -> None:
        self.features, self._repeats = features, repeats

    def __call__(self, file: Path) -> Windows:
        """Read a file; the last window is padded with 0.

        Raises:
            UserError: it can't be read, is empty or silent.
        """
        rate, seconds = self.features.sample_rate, self.features.seconds
        sound = np.atleast_2d(read_audio(file, rate, self.features.channels))
        samples, length = sound.shape[1], round(seconds * rate)
        if self._repeats and 0 < samples < length:
            sound = np.tile(sound, -(-length // samples))[:, :length]
        # A window starts every half length, as long as it contains sound that the one before does not.
        hop = max(1, length // 2)
        starts = [start for start in range(0, samples, hop) if start == 0 or start + hop < samples]
        # Relative to its maximum, the noise of a silent window could look like any class.
        loudest = [np.abs(windows).max((1, 2)) for windows in _cut(sound, starts, length)]
        # The windows are cut once more for the network, so that those of a long file are never all in memory.
        starts_s = [start / rate for start in starts]
        ends_s = [min(start + seconds, samples / rate) for start in starts_s]
        batches = (self.features(windows) for windows in _cut(sound, starts, length))
        return Windows(starts_s, ends_s, np.concatenate(loudest) < SILENCE, batches)


def window_seconds(data: Mapping[str, Any]) -> float | None:
    """Return the length in seconds of items of a data set with these options; `None` where it is unknown."""
    lengths = [data[key] for key in ("clip_seconds", "window_seconds") if data.get(key) is not None]
    return float(lengths[0]) if lengths else None


def _cut(sound: Sound, starts: list[int], length: int) -> Iterator[Sound]:
    """Yield batches of windows (B, channels, length) of sound (channels, samples), padded with 0."""
    for first in range(0, len(starts), BATCH):
        windows = np.zeros((len(starts[first : first + BATCH]), len(sound), length), np.float32)
        for window, start in zip(windows, starts[first : first + BATCH], strict=True):
            excerpt = sound[:, start : start + length]
            window[:, : excerpt.shape[1]] = excerpt
        yield windows
