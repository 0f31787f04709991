"""Generates music during training, so that progress can be heard."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn

from src.generation.composing import compose
from src.generation.options import Generation
from src.generation.roll_data import RollData
from src.generation.writing import write_pieces
from src.messages import dispensable
from src.models.learner import Learner
from src.options import checks
from src.rules import whole


class MusicSamples(Callback):
    """Writes a continuation of a validation piece, the same one each time, as `.mid`, `.wav` and `.png`.

    Args:
        every_n_epochs: interval.
        folder: for the files.
        options: of `Generation`; `pieces` is 1 here.

    Raises:
        UserError: `every_n_epochs` is below 1.
    """

    targets: ClassVar[tuple[str, ...]] = ("rolls",)

    @checks("callbacks.music_samples")
    def __init__(
        self, every_n_epochs: Annotated[int, whole(1)], folder: Path, options: Mapping[str, Any]
    ) -> None:
        self._every, self._folder = every_n_epochs, folder
        self._options = replace(Generation(**options), pieces=1)

    def on_validation_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write `epoch_<number>_…` with the weights that are being validated.

        This happens at the start of validation because averaged weights are no longer in place at its end.
        """
        epoch = trainer.current_epoch + 1
        data = getattr(trainer, "datamodule", None)
        fitting = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if not (fitting and batch_idx == 0 and trainer.is_global_zero and epoch % self._every == 0):
            return
        assert isinstance(data, RollData)
        assert isinstance(pl_module, Learner)
        prefix = f"epoch_{epoch:03d}"
        with dispensable(f"{self._folder}/{prefix}_…"):
            pieces = compose([pl_module], data, self._options, seed=0, split="val")
            write_pieces(pieces, self._folder, data, self._options, prefix=prefix)
