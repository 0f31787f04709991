"""The LightningModule for classes and regression of sequences of different lengths."""

import torch
from torch import Tensor

from src.models.classifier import Classifier
from src.models.learner import Batch
from src.models.networks.sequence_base import frames_of, without_padding


class SequenceClassifier(Classifier):
    """Trains a network on padded sequences; padding never reaches the network.

    Args:
        network: maps (B, channels, n_rows, T) and lengths (B,) to logits (B, C).
        loss: maps logits and targets to a scalar.
        options: see `Classifier`; mean and standard deviation are those of each row.
    """

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map features (B, channels, n_rows, T) and lengths (B,), all T where `None`, to logits (B, C)."""
        frames = frames_of(x, lengths)
        normal = (x.float() - self.mean[:, None]) / self.std[:, None]
        logits: Tensor = self.network(
            without_padding(normal, frames).contiguous(memory_format=torch.channels_last), frames
        )
        return logits

    def logits_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Map features (B, channels, n_rows, T), targets and lengths (B,) to logits (B, C) and targets."""
        return self(batch[0], batch[2]), batch[1]
