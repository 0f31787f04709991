"""An exponential moving average of the weights, which is validated, tested and saved."""

from typing import Annotated, Any

import lightning
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from src.options import checks
from src.rules import number


class EMA(WeightAveraging):
    """At step n the average becomes d · average + (1 − d) · weights, d = min(decay, (1 + n) / (10 + n)).

    The smaller d of the first steps lets the average forget the initial weights quickly. Only weights are averaged: the
    threshold is the one that was tuned. Checkpoints hold the average, so they must be complete
    (`save_weights_only: false`): Lightning calls the callback only for those.

    Args:
        decay: from 0 to below 1; 0.99 averages about the last 100 steps.

    Raises:
        UserError: `decay` is outside its range.
    """

    @checks("callbacks.ema")
    def __init__(self, decay: Annotated[float, number(0, 1, below=True)]) -> None:

        def average(averaged: list[Tensor], current: list[Tensor], n: Tensor | int) -> None:
            """Average all tensors of a dtype in one call, since reading `n` synchronises with the GPU."""
            kept = min(decay, (1 + int(n)) / (10 + int(n)))
            for old, new in zip(averaged, current, strict=True):
                old.lerp_(new, 1 - kept) if old.is_floating_point() else old.copy_(new)

        super().__init__(multi_avg_fn=average)

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Move the average to the training device, to which the module is moved only after the average is created."""
        assert self._average_model is not None
        self._average_model.to(pl_module.device)

    def on_validation_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Validate the average during training; afterwards the module itself holds the weights to validate."""
        if trainer.state.fn == TrainerFn.FITTING:
            super().on_validation_epoch_start(trainer, pl_module)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Return to the trained weights."""
        if trainer.state.fn == TrainerFn.FITTING:
            super().on_validation_epoch_end(trainer, pl_module)

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the average, and the current values of buffers outside the network."""
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
        kept = {name for name, _ in pl_module.named_buffers() if not name.startswith("network.")}
        checkpoint["state_dict"] |= {
            name: value for name, value in pl_module.state_dict().items() if name in kept
        }
