"""Seeds each epoch, so that random numbers depend only on the seed and the epoch."""

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback


class SeedEpochs(Callback):
    """Seeds torch at the start of each epoch, so that a resumed trial draws the same numbers as an uninterrupted one.

    Args:
        seed: of the training.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed dropout and augmentation of this epoch, differently on each rank of a distributed trial.

        `on_train_epoch_start` would be too early: before the first batch of a resumed epoch the data loader draws
        another number after it.
        """
        if batch_idx == 0:
            seed = (self._seed * 1_000_003 + trainer.current_epoch) * 1_009 + trainer.global_rank
            torch.manual_seed(seed)
