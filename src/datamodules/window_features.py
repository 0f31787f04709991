"""Recordings cut into windows of one length, each turned into a log-mel spectrogram."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src.audio.files import read_excerpt
from src.audio.mel import LogMel
from src.audio.sound_file import SoundFile


def window_starts(samples: int, length: int, stride: int) -> list[int]:
    """Return the first sample of each window of a recording; every recording has at least one window.

    A last window that reaches past the end is padded with zeros; it is left out where less than half of it would be
    sound, unless it is the only one.

    Args:
        samples: length of the recording.
        length: of a window, samples, >= 1.
        stride: from one window to the next, samples, >= 1.
    """
    whole = max(0, (samples - length) // stride + 1)
    rest = samples - whole * stride
    ends_before = whole == 0 or (whole - 1) * stride + length < samples
    padded = ends_before and (whole == 0 or 2 * rest >= length)
    return [number * stride for number in range(whole + padded)]


def samples_at(frames: int, rate: int, sample_rate: int) -> int:
    """Return the number of samples at `sample_rate` Hz of a file that has `frames` samples at `rate` Hz."""
    return math.ceil(frames * sample_rate / rate)


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowMaker:
    """Makes the items of a data set of recordings; it pickles, so worker processes can use it.

    Args:
        root: the folder that paths are relative to.
        paths: of the n recordings.
        targets: of the recordings, (n, n_classes) or (n,).
        groups: uint64 (n,), a hash of what each belongs to.
        recording: int64 (n_items,), which recording each item is a window of.
        starts: int64 (n_items,), where it begins, samples at the features' rate.
        length: of a window, samples at the features' rate.
        channels: 1 or 2, see `src.audio.files.read_audio`.
        features: the parameters of `LogMel`.
    """

    root: Path
    paths: tuple[str, ...]
    targets: np.ndarray
    groups: np.ndarray
    recording: np.ndarray
    starts: np.ndarray
    length: int
    channels: int
    features: Mapping[str, Any]

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Make item `index`.

        Returns:
            `features`, float16 (channels, n_mels, frames); `targets`; `pieces`, its group's hash.
        """
        number = self.recording[index]
        return {
            "features": self.log_mel(self.waveform(index)),
            "targets": self.targets[number],
            "pieces": self.groups[number],
        }

    def waveform(self, index: int) -> np.ndarray:
        """Read the sound of an item: float32 (channels, samples), -1..1, zeros past the recording's end."""
        file = _opened(self.root / self.paths[self.recording[index]])
        return read_excerpt(file, int(self.starts[index]), self.length, self.mel.sample_rate, self.channels)

    def log_mel(self, waveform: np.ndarray) -> np.ndarray:
        """Return the log-mel spectrogram of a sound (channels, samples): float16 (channels, n_mels, frames)."""
        with torch.inference_mode():
            spectrogram: torch.Tensor = self.mel(torch.from_numpy(waveform))
            return spectrogram.half().numpy()

    @functools.cached_property
    def mel(self) -> LogMel:
        """The spectrogram, built when first used."""
        return LogMel(**self.features)


@functools.lru_cache(maxsize=1)
def _opened(path: Path) -> SoundFile:
    """Open a file; the last one stays open, since the windows of a recording are read one after another."""
    return SoundFile(path)
