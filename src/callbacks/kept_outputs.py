"""Keeps the logits and targets of an evaluation for its caller."""

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn

from src.models.learner import StepOutput


class KeptOutputs(Callback):
    """Keeps what the steps of `trainer.validate` and `trainer.test` return, but not of validation during fitting.

    Attributes:
        outputs: of the last evaluation of `val` and of `test`, one dictionary per batch.
    """

    def __init__(self) -> None:
        self.outputs: dict[str, list[StepOutput]] = {}

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Drop the outputs of an earlier validation."""
        self.outputs["val"] = []

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Keep the output of a batch, unless the network is being fitted."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            self.outputs["val"].append(outputs)

    def on_test_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Drop the outputs of an earlier test."""
        self.outputs["test"] = []

    def on_test_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Keep the output of a batch."""
        self.outputs["test"].append(outputs)
