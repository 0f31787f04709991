import csv
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger, Logger

from src.callbacks.history import History, read_history
from src.callbacks.progress import ProgressReport
from src.callbacks.seed_epochs import SeedEpochs
from src.sweep.folder import TrialFolder
from src.sweep.progress import ProgressWriter, Stopped
from src.sweep.state import StopReason


class Model(BoringModel):
    def validation_step(self, batch, batch_idx):  # type: ignore[no-untyped-def]
        self.log("val/score", float(self.current_epoch))


def fit(
    folder: Path,
    epochs: int,
    callbacks: list[lightning.Callback],
    checkpoint: Path | None = None,
    logger: Logger | None = None,
    **options: Any,
) -> lightning.Trainer:
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        limit_train_batches=2,
        limit_val_batches=1,
        callbacks=callbacks,
        logger=logger or False,
        default_root_dir=folder,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(Model(), ckpt_path=checkpoint, weights_only=True if checkpoint else None)
    return trainer


def test_a_row_an_epoch(tmp_path: Path) -> None:
    fit(tmp_path, 3, [History(tmp_path / "history.csv")])
    rows = read_history(tmp_path / "history.csv")
    assert [(row["epoch"], row["val/score"]) for row in rows] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert rows[0]["lr"] == 0.1
    assert 0 < rows[0]["time_s"] < rows[1]["time_s"] < rows[2]["time_s"]


def test_a_row_and_a_report_stand_for_validations(tmp_path: Path) -> None:
    """Epochs are those of the training, which may have none of them or several."""
    for name, options, epochs, reported in (
        ("several", {"val_check_interval": 0.5}, [0, 0, 1, 1, 2, 2], [1, 2, 3]),
        ("few", {"check_val_every_n_epoch": 2}, [1], [2]),
    ):
        path, reports = tmp_path / f"{name}.csv", list[dict[str, Any]]()
        trainer = fit(
            tmp_path, 3, [History(path), ProgressReport(reports.append, "val/score", "max")], None, **options
        )
        assert [row["epoch"] for row in read_history(path)] == epochs
        assert [report["epoch"] for report in reports] == reported
        assert trainer.current_epoch == 3


def test_a_resumed_trial_goes_on_with_the_rows_up_to_its_epoch(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    first = fit(tmp_path, 2, [History(path)])
    first.save_checkpoint(tmp_path / "last.ckpt")
    fit(tmp_path, 3, [History(path)])
    assert len(read_history(path)) == 3
    fit(tmp_path, 4, [History(path)], tmp_path / "last.ckpt")
    assert [row["epoch"] for row in read_history(path)] == [0, 1, 2, 3]


def test_progress_is_reported_after_each_epoch(tmp_path: Path) -> None:
    reports: list[dict[str, object]] = []
    fit(tmp_path, 2, [ProgressReport(reports.append, "val/score", "max")])
    assert reports == [
        {"epoch": 1, "epochs": 2, "objective": 0.0, "direction": "max"},
        {"epoch": 2, "epochs": 2, "objective": 1.0, "direction": "max"},
    ]


def test_an_epoch_is_reported_once_its_checkpoint_is_written(tmp_path: Path) -> None:
    seen: list[tuple[object, int]] = []

    def report(progress: dict[str, object]) -> None:
        saved = torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"]
        seen.append((progress["epoch"], saved + 1))

    fit(tmp_path, 3, [ProgressReport(report, "val/score", "max"), ModelCheckpoint(tmp_path, save_last=True)])
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_a_trial_that_is_stopped_by_its_report_has_saved_the_epoch(tmp_path: Path) -> None:
    TrialFolder(tmp_path).ask_to_stop(StopReason.PRUNED)
    report = ProgressReport(ProgressWriter(TrialFolder(tmp_path), lambda _: None), "val/score", "max")
    with pytest.raises(Stopped):
        fit(tmp_path, 3, [report, ModelCheckpoint(tmp_path, save_last=True)])
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"] == 0
    assert len((tmp_path / "progress.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_random_numbers_of_an_epoch_depend_on_seed_and_epoch_only(tmp_path: Path, seed: int) -> None:
    drawn: dict[int, list[float]] = {}

    class Draw(lightning.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
            drawn.setdefault(trainer.current_epoch, []).append(float(torch.rand(1)))

    fit(tmp_path, 2, [SeedEpochs(seed), Draw()])
    first = dict(drawn)
    drawn.clear()
    torch.manual_seed(99)
    fit(tmp_path, 2, [SeedEpochs(seed), Draw()])
    assert drawn == first
    assert drawn[0] != drawn[1]


def test_earlier_epochs_are_logged_again(tmp_path: Path) -> None:
    """A resumed trial's logger has the lines of one that was never stopped."""

    def train(folder: Path, epochs: int, log: str, checkpoint: Path | None = None) -> lightning.Trainer:
        logger, rates = CSVLogger(tmp_path, log, ""), LearningRateMonitor("epoch")
        return fit(folder, epochs, [rates, History(folder / "history.csv")], checkpoint, logger)

    (tmp_path / "stopped").mkdir()
    (tmp_path / "never").mkdir()
    train(tmp_path / "never", 4, "a")
    train(tmp_path / "stopped", 2, "b").save_checkpoint(tmp_path / "last.ckpt")
    train(tmp_path / "stopped", 4, "c", tmp_path / "last.ckpt")
    assert logged(tmp_path / "c", "val/score") == logged(tmp_path / "a", "val/score")
    assert len(logged(tmp_path / "c", "lr-SGD")) == 4


def logged(folder: Path, name: str) -> list[tuple[str, ...]]:
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row[name]]
    return [(row["epoch"], row["step"], row[name]) for row in rows]
