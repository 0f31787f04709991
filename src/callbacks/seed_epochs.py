"""Random numbers that depend on the seed and the epoch only."""

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback


class SeedEpochs(Callback):
    """Seeds torch at the start of each epoch, so that a resumed trial draws what an unbroken one draws.

    Args:
        seed: of the training.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed dropout and augmentation of this epoch; ranks of a distributed trial differ.

        Not sooner: before the first batch the data loader draws a number, in a resumed epoch only after
        `on_train_epoch_start`.
        """
        if batch_idx == 0:
            seed = (self._seed * 1_000_003 + trainer.current_epoch) * 1_009 + trainer.global_rank
            torch.manual_seed(seed)
