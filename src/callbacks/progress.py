"""Reports a trial's progress to its caller."""

from collections.abc import Callable
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn


class ProgressReport(Callback):
    """Reports each epoch with a validation, of several the last, once the epoch's checkpoint is written.

    A trial that the report stops so loses nothing.

    Args:
        report: takes `{"epoch": epochs done, "epochs": in total, "objective": value, "direction": direction}`.
        objective: the logged metric.
        direction: whether its best value is its `min` or `max`.
    """

    def __init__(self, report: Callable[[dict[str, Any]], None], objective: str, direction: str) -> None:
        self._report = report
        self._objective = objective
        self._direction = direction
        self._done: dict[str, Any] | None = None

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Remember the epoch that has been validated."""
        value = trainer.callback_metrics.get(self._objective)
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if fitting and trainer.is_global_zero and value is not None:
            done = {"epoch": trainer.current_epoch + 1, "epochs": trainer.max_epochs}
            self._done = {**done, "objective": float(value), "direction": self._direction}

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Report the previous epoch."""
        self._send()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Report the last epoch."""
        self._send()

    def _send(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._report(done)
