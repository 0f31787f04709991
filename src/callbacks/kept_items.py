"""Logits and targets of an evaluation, for whoever started it."""

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn

from src.models.learner import Items


class KeptItems(Callback):
    """Keeps what the steps of `trainer.validate` and `trainer.test` return; validation while fitting is not kept.

    Attributes:
        items: of the last evaluation of `val` and of `test`, a dictionary a batch.
    """

    def __init__(self) -> None:
        self.items: dict[str, list[Items]] = {}

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Forget an earlier validation."""
        self.items["val"] = []

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Keep a batch's, unless the network is being fitted."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self.items["val"].append(outputs)

    def on_test_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Forget an earlier test."""
        self.items["test"] = []

    def on_test_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Keep a batch's."""
        self.items["test"].append(outputs)
