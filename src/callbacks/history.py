"""`history.csv`: one row per validation, usually of an epoch."""

import csv
import time
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, LearningRateMonitor
from lightning.pytorch.trainer.states import TrainerFn

from src.fingerprint import replacing


class History(Callback):
    """Writes the metrics of each validation; a resumed trial keeps the rows of earlier epochs.

    Args:
        path: of the CSV file, with columns `epoch`, `time_s`, `lr` (at the start of the epoch) and the logged metrics.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._earlier_s = 0.0
        self._since = 0.0
        self._lr = 0.0

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Read the rows of an earlier attempt."""
        self._since = time.monotonic()
        if self._path.exists():
            self._rows = read_history(self._path)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Drop rows from the epoch on with which training continues, known only now; log the others."""
        self._rows = [row for row in self._rows if row["epoch"] < trainer.current_epoch]
        self._earlier_s = self._rows[-1]["time_s"] if self._rows else 0.0
        self._log_again(trainer)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Remember the learning rate at the start of the epoch."""
        self._lr = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add the row of the validation."""
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        metrics = {
            name: float(value)
            for name, value in sorted(trainer.callback_metrics.items())
            if not name.startswith("lr-")
        }
        row = {
            "epoch": trainer.current_epoch,
            "time_s": round(self._earlier_s + time.monotonic() - self._since, 3),
            "lr": self._lr,
            **metrics,
        }
        self._rows.append(row)
        if trainer.is_global_zero:
            self._write()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows so far."""
        return self._rows

    def _log_again(self, trainer: lightning.Trainer) -> None:
        """Log the epochs of earlier attempts, whose loggers wrote elsewhere."""
        rates = [name for callback in trainer.callbacks for name in _rates(callback)]  # type: ignore[attr-defined]
        for row in self._rows:
            metrics = {name: value for name, value in row.items() if name not in ("time_s", "lr")}
            if len(rates) == 1:
                metrics[rates[0]] = row["lr"]
            # As when they were first logged: with the number of the last step of the epoch, from 0.
            step = trainer.global_step * (row["epoch"] + 1) // trainer.current_epoch - 1
            for logger in trainer.loggers:
                logger.log_metrics(metrics, step)
        for logger in trainer.loggers if self._rows else ():
            logger.save()

    def _write(self) -> None:
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        with replacing(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self._rows)


def _rates(callback: Callback) -> list[str]:
    return list(callback.lrs) if isinstance(callback, LearningRateMonitor) else []


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read `history.csv`: numbers as float, `epoch` as int, empty cells left out."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [row | {"epoch": int(row["epoch"])} for row in rows]
