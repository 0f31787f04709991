"""The task of sequences of different lengths, such as frames of mel and chroma: classes or regression."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from src.audio.music_features import SAMPLE_RATE, music_features
from src.datamodules.sequences.rows import rows
from src.datamodules.sequences.store import stored
from src.errors import UserError
from src.losses.base import Loss
from src.messages import say
from src.models.learner import Learner
from src.models.sequence_classifier import SequenceClassifier
from src.tasks.base import Reader, Task, Trained, register
from src.tasks.sound import Sound, SoundReader, window_seconds

PUBLISHED_SECONDS = 30.0
"""Length of the clips of published feature files."""


@register
class Sequences(Task):
    """Items (1, n_rows, T), each with its own number of frames."""

    name = "sequences"
    statistics = ("mean", "std")
    must_agree = ("features", "beat_sync")

    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        """Return the number of classes and the shape, with T of the longest item."""
        shape = dict(zip(("in_channels", "n_rows", "n_frames"), item_shape, strict=True))
        return {"n_classes": n_columns, **shape}

    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        """Return a `SequenceClassifier`."""
        return SequenceClassifier(network, loss, description=description, **options)

    def reader(self, trained: Trained) -> Reader:
        """Return a reader of sound files; print a hint where the checkpoint was trained on feature files."""
        seconds = window_seconds(trained.config["data"])
        if seconds is None:
            say(
                f"{trained.path} was trained on feature files: its predictions for sound are valid only if those were "
                "made as in src/audio/music_features.py"
            )
        repeats = trained.data.repeats_short_sounds(trained.config["data"])
        return SoundReader(SequenceFeatures(trained, seconds or PUBLISHED_SECONDS), repeats=repeats)


class SequenceFeatures:
    """Computes mel and chroma (B, 1, n_rows, T), frame by frame or beat by beat, and lengths (B,).

    Silence at the end of a window is cut off. Where the training clips were normalised to one level, so are windows.

    Args:
        trained: a checkpoint.
        seconds: length of a window.

    Raises:
        UserError: its options do not lead to items of the network's shape.
    """

    channels = 1
    sample_rate = SAMPLE_RATE

    def __init__(self, trained: Trained, seconds: float) -> None:
        data = trained.config["data"]
        self.seconds = seconds
        self._rows, self._beat_sync = rows(data["features"]), bool(data["beat_sync"])
        self._max_frames = int(data["max_frames"])
        n_rows = self._rows.stop - self._rows.start
        if n_rows != trained.description["item_shape"][1] or self._max_frames < 1:
            raise UserError(
                f"its features are {n_rows} rows of {self._max_frames} frames, but its network takes others"
            )
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
