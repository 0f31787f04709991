"""The task of spectrograms of one length: labels, classes or regression."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from src.audio.mel import LogMel
from src.errors import UserError
from src.losses.base import Loss
from src.models.classifier import Classifier
from src.models.learner import Learner
from src.tasks.base import Finished, Reader, Task, Trained, register
from src.tasks.sound import Sound, SoundReader, window_seconds


@register
class Spectrograms(Task):
    """Items (channels, n_mels, T) in dB."""

    name = "spectrograms"
    statistics = ("mean", "std")
    must_agree = ("features",)

    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        """Return the number of classes and the shape."""
        shape = dict(zip(("in_channels", "n_rows", "n_frames"), item_shape, strict=True))
        return {"n_classes": n_columns, **shape}

    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        """Return a `Classifier`."""
        features = LogMel(**description["config"]["data"]["features"])
        pool = description.get("pool", "mean")
        return Classifier(network, loss, features=features, pool=pool, description=description, **options)

    def shape_options(self, item_shape: Sequence[int]) -> dict[str, Any]:
        """Return the number of channels."""
        return {"channels": item_shape[0]}

    def write_samples(self, finished: Finished) -> None:
        """Write tables and, where the data can play them, items in which a class is missed (`errors/`)."""
        super().write_samples(finished)
        finished.data.write_errors(
            finished.samples / "errors",
            finished.answers.outputs,
            finished.answers.targets,
            float(finished.learner.threshold),
        )

    def reader(self, trained: Trained) -> Reader:
        """Return a reader that computes spectrograms of sound files.

        Raises:
            UserError: the checkpoint's targets are numbers, or it was trained on stored spectrograms.
        """
        target, seconds = trained.description["target"], window_seconds(trained.config["data"])
        if target not in ("multilabel", "multiclass"):
            raise UserError(
                f"{trained.path}: mode=predict names what sounds, but this checkpoint has {target} targets."
            )
        if seconds is None:
            raise UserError(
                f"{trained.path}: mode=predict reads sound, but this checkpoint was trained on stored spectrograms."
            )
        repeats = trained.data.repeats_short_sounds(trained.config["data"])
        features = SpectrogramFeatures(trained, seconds)
        reader = SoundReader(features, repeats=repeats)
        features.check_frames()
        return reader


class SpectrogramFeatures:
    """Computes log-mel spectrograms (B, channels, n_mels, T).

    Args:
        trained: a checkpoint.
        seconds: length of a window.

    Raises:
        UserError: its options are impossible, or do not lead to items of the network's shape.
    """

    def __init__(self, trained: Trained, seconds: float) -> None:
        features = trained.config["data"]["features"]
        self.channels, self.seconds = int(trained.description["item_shape"][0]), seconds
        self.sample_rate = int(features["sample_rate"])
        self.log_mel = LogMel(**features).eval()
        if self.log_mel.n_mels != trained.description["item_shape"][1]:
            raise UserError(f"its features have {self.log_mel.n_mels} bands, but its network takes others")
        self._takes = int(trained.description["item_shape"][2])

    def check_frames(self) -> None:
        """Refuse windows that are much longer than what the network was trained on.

        Raises:
            UserError: they are.
        """
        frames = self.log_mel.frames(round(self.seconds * self.sample_rate))
        if frames > 2 * self._takes:
            raise UserError(f"its windows have {frames} frames, but its network takes {self._takes}")

    def __call__(self, windows: Sound) -> tuple[Tensor, ...]:
        """See `src.tasks.sound.Features`."""
        return (self.log_mel(torch.from_numpy(windows)),)
