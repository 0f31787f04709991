"""The LightningModule for labels, classes and regression of spectrograms."""

from typing import Any

import torch
from torch import Tensor, nn

from src.models.learner import Batch, Learner
from src.models.pooling import pooled

WINDOWS = 256
"""Windows of long recordings that are passed through the network at once."""


class Classifier(Learner):
    """Trains a network on spectrograms; targets are multi-label, multi-class or numbers.

    Args:
        network: maps (B, channels, n_mels, T) to logits (B, C).
        loss: maps logits and targets to a scalar.
        mean, std: (n_mels,) of the training split, in dB; stored in the checkpoint.
        features: maps sounds (B, samples) to spectrograms (B, n_mels, T) in dB, for batches of sounds.
        pool: `mean` or `max` over a recording's windows; see `src.models.pooling`.
        options: see `Learner`; augmentation maps spectrograms (B, channels, n_mels, T) in dB and targets.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        *,
        mean: Tensor,
        std: Tensor,
        features: nn.Module | None = None,
        pool: str = "mean",
        **options: Any,
    ) -> None:
        channels_last = network.to(memory_format=torch.channels_last)
        super().__init__(channels_last, loss, **options)
        self.pool = pool
        self._features = [
            features or nn.Identity()
        ]  # in a list, so that it is no submodule and not in checkpoints
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float().clamp(min=1e-3))

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (B, channels, n_mels, T) in dB to logits (B, C)."""
        x = (x.float() - self.mean[:, None]) / self.std[:, None]
        logits: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return logits

    def prepare(self, batch: Batch) -> Batch:
        """Convert sounds (B, samples) to spectrograms (B, 1, n_mels, T) in float32; leave spectrograms as they are."""
        if batch[0].ndim != 2:
            return batch
        features = self._features[0].to(batch[0].device)
        with torch.no_grad(), torch.autocast(batch[0].device.type, enabled=False):
            return features(batch[0]).unsqueeze(1), *batch[1:]

    def logits_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Map spectrograms (B, channels, n_mels, T) in dB and targets to logits (N, C) and targets.

        N is B, or the number of recordings where the batch says how many windows each one has.
        """
        if len(batch) == 2:
            return self(batch[0]), batch[1]
        logits = torch.cat([self(windows) for windows in torch.split(batch[0], WINDOWS)])
        return pooled(logits, batch[2], self.outputs, self.inverse, self.pool), batch[1]
