"""Sequences of several lengths, such as mel and chroma frame by frame: classes or numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from src.audio.music_features import SAMPLE_RATE, music_features
from src.datamodules.sequences.rows import rows
from src.datamodules.sequences.store import stored
from src.losses.base import Loss
from src.messages import say
from src.models.learner import Learner
from src.models.sequence_classifier import SequenceClassifier
from src.tasks.base import Reader, Task, Trained, register
from src.tasks.sound import Sound, SoundReader, window_seconds

PUBLISHED_SECONDS = 30.0
"""Of the clips that published feature files were made of."""


@register
class Sequences(Task):
    """Items (1, n_rows, T), each with a number of frames of its own."""

    name = "sequences"
    statistics = ("mean", "std")
    alike = ("features", "beat_sync")

    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        """Return the number of classes, and the shape, T being the most frames."""
        shape = dict(zip(("in_channels", "n_rows", "n_frames"), item_shape, strict=True))
        return {"n_classes": n_columns, **shape}

    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        """Return a `SequenceClassifier`."""
        return SequenceClassifier(network, loss, description=description, **options)

    def reader(self, trained: Trained) -> Reader:
        """Return what makes sequences of sound files; say so where the checkpoint's own came from files."""
        seconds = window_seconds(trained.config["data"])
        if seconds is None:
            say(
                f"{trained.path} was trained on feature files: what it says of sound counts if those were made as "
                "src/audio/music_features.py makes them"
            )
        repeats = trained.data.repeats_short_sounds(trained.config["data"])
        return SoundReader(SequenceFeatures(trained, seconds or PUBLISHED_SECONDS), repeats=repeats)


class SequenceFeatures:
    """Makes mel and chroma (B, 1, n_rows, T), frame by frame or beat by beat, and lengths (B,).

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
        """See `src.tasks.sound.Features`."""
        items = [
            stored(music_features(self._levelled(window[0]), beat_sync=self._beat_sync), self._max_frames)
            for window in windows
        ]
        features = np.stack([item["features"] for item in items])[:, None, self._rows]
        return torch.from_numpy(features), torch.tensor([int(item["frames"]) for item in items])

    def _levelled(self, window: Sound) -> Sound:
        sound = np.trim_zeros(window, "b")
        if self._level is None or not len(sound):
            return sound
        level = float(np.sqrt(np.square(sound, dtype=np.float64).mean()))
        return sound * np.float32(self._level / level)
