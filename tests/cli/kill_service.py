"""Kills W&B's service process, which a sweep's trials share, in the middle of a trial's second epoch, once."""

from pathlib import Path

import lightning
import psutil
from lightning.pytorch.callbacks import Callback


class KillService(Callback):
    """Kills it.

    Args:
        mark: a file that says that this has been done.
    """

    def __init__(self, mark: str) -> None:
        self.mark = Path(mark)

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: object, batch_idx: int
    ) -> None:
        if trainer.current_epoch != 1 or batch_idx != 1 or self.mark.exists():
            return
        parent = psutil.Process().parent()
        assert parent is not None
        [service] = [child for child in parent.children() if child.name() == "wandb-core"]
        service.kill()
        psutil.wait_procs([service], timeout=10)
        self.mark.write_text(str(service.pid))
