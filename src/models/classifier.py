"""The LightningModule for labels, classes and numbers of a spectrogram."""

from typing import Any

import torch
from torch import Tensor, nn

from src.models.learner import Batch, Learner


class Classifier(Learner):
    """Trains a network on spectrograms; targets are multi-label, multi-class or numbers.

    Args:
        network: from (B, channels, n_mels, T) to logits (B, C).
        loss: from logits and targets to a scalar.
        mean, std: (n_mels,) of the training part, in dB, kept in the checkpoint.
        options: see `Learner`; augmentation maps spectrograms (B, channels, n_mels, T) in dB and targets.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, network: nn.Module, loss: nn.Module, *, mean: Tensor, std: Tensor, **options: Any
    ) -> None:
        channels_last = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(channels_last, loss, **options)
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float().clamp(min=1e-3))

    def forward(self, x: Tensor) -> Tensor:
        """From spectrograms (B, channels, n_mels, T) in dB to logits (B, C)."""
        x = (x.float() - self.mean[:, None]) / self.std[:, None]
        logits: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return logits

    def predict(self, x: Tensor) -> Tensor:
        """From spectrograms (B, channels, n_mels, T) in dB to probabilities or numbers (B, C)."""
        return self.kind.outputs(self(x).float())

    def items(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """From spectrograms (B, channels, n_mels, T) in dB and targets to logits (B, C) and targets."""
        return self(batch[0]), batch[1]
