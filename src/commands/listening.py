"""From windows of sound to what the network of a checkpoint takes."""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.audio.mel import LogMel
from src.audio.music_features import SAMPLE_RATE, music_features
from src.commands.checkpoint import Trained
from src.datamodules.sequences.rows import rows
from src.datamodules.sequences.store import stored
from src.errors import UserError
from src.messages import say

PUBLISHED_SECONDS = 30.0
"""Of the clips that published feature files were made of."""

Sound = NDArray[np.float32]


class Listener(Protocol):
    """Makes a network's inputs of windows of sound.

    Attributes:
        sample_rate: of the sound, Hz.
        channels: of the sound, 1 or 2.
        seconds: length of a window.
    """

    sample_rate: int
    channels: int
    seconds: float

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        """From windows (B, channels, samples) to what `Classifier.predict` takes."""


class SpectrogramListener:
    """Gives log-mel spectrograms (B, channels, n_mels, T).

    Args:
        trained: a checkpoint.
        seconds: length of a window.
    """

    def __init__(self, trained: Trained, seconds: float) -> None:
        features = trained.config["data"]["features"]
        self.channels, self.seconds = int(trained.description["item_shape"][0]), seconds
        self.sample_rate = int(features["sample_rate"])
        self.log_mel = LogMel(**features).eval()

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        """See `Listener`."""
        return (self.log_mel(torch.from_numpy(windows)),)


class SequenceListener:
    """Gives mel and chroma (B, 1, n_rows, T), frame by frame or beat by beat, and lengths (B,).

    Silence at its end is no part of a window. Where the clips that it was trained on had one level, so have windows.

    Args:
        trained: a checkpoint.
        seconds: length of a window.
    """

    channels = 1
    sample_rate = SAMPLE_RATE

    def __init__(self, trained: Trained, seconds: float) -> None:
        data = trained.config["data"]
        self.seconds = seconds
        self._rows, self._beat_sync = rows(data["features"]), bool(data["beat_sync"])
        self._max_frames = int(data["max_frames"])
        self._level: float | None = trained.description.get("level")

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        """See `Listener`."""
        items = [
            stored(music_features(self._heard(window[0]), beat_sync=self._beat_sync), self._max_frames)
            for window in windows
        ]
        features = np.stack([item["features"] for item in items])[:, None, self._rows]
        return torch.from_numpy(features), torch.tensor([int(item["frames"]) for item in items])

    def _heard(self, window: Sound) -> Sound:
        sound = np.trim_zeros(window, "b")
        if self._level is None or not len(sound):
            return sound
        level = float(np.sqrt(np.square(sound, dtype=np.float64).mean()))
        return sound * np.float32(self._level / level)


def listener(trained: Trained) -> Listener:
    """Give what listens for a checkpoint; say so where its features came from files.

    Raises:
        UserError: it is of piano rolls, or of numbers or stored features that no sound can be turned into.
    """
    target, seconds = trained.description["target"], _seconds(trained)
    if trained.description.get("inputs") == "sequences":
        if seconds is None:
            say(
                f"{trained.path} was trained on feature files: what it says of sound counts if those were made as "
                "src/audio/music_features.py makes them"
            )
        return SequenceListener(trained, seconds or PUBLISHED_SECONDS)
    if target not in ("multilabel", "multiclass"):
        remedy = "; use mode=generate." if target == "rolls" else "."
        raise UserError(
            f"{trained.path}: mode=predict names what sounds; this checkpoint has {target} targets" + remedy
        )
    if seconds is None:
        raise UserError(
            f"{trained.path}: mode=predict reads sound; this checkpoint was trained on stored spectrograms."
        )
    return SpectrogramListener(trained, seconds)


def _seconds(trained: Trained) -> float | None:
    data = trained.config["data"]
    lengths: list[Any] = [
        data[key] for key in ("clip_seconds", "window_seconds") if data.get(key) is not None
    ]
    return float(lengths[0]) if lengths else None
