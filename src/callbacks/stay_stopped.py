"""Ends a resumed training that early stopping had ended already."""

import lightning
from lightning.pytorch.callbacks import Callback


class StayStopped(Callback):
    """Stops a training before its first step where the checkpoint says that early stopping had lost its patience.

    Lightning would train for another epoch, and a trial that was killed after its training would end with other weights
    than one that was not.
    """

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop if one of the callbacks had."""
        if any(callback.wait_count >= callback.patience for callback in trainer.early_stopping_callbacks):
            trainer.should_stop = True
