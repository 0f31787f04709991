"""What callbacks and loggers are given, by what they are and not by what they are called."""

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import CSVLogger

from src.configuration.build_loggers import build_loggers
from src.configuration.build_trainer import build_callbacks
from src.configuration.trust import VARIABLE


class BestCheckpoint(ModelCheckpoint):
    """A checkpoint of another name."""


class Silent(ProgressBar):
    """A progress bar of another name."""


class Rates(LearningRateMonitor):
    """A log of learning rates of another name."""


class Table(CSVLogger):
    """A logger of another name."""


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, __name__)


def built(name: str, tmp_path: Path, *, logged: bool = True) -> list[Any]:
    config = {"trainer": {}, "callbacks": {"own": {"_target_": f"{__name__}.{name}"}}}
    return list(build_callbacks(config, tmp_path, logged=logged))


def test_a_subclass_of_a_checkpoint_gets_its_folder(tmp_path: Path) -> None:
    [best] = built("BestCheckpoint", tmp_path)
    assert isinstance(best, BestCheckpoint)
    assert Path(str(best.dirpath)) == tmp_path / "checkpoints"


def test_a_subclass_of_a_progress_bar_needs_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.isatty", lambda number: False)
    assert built("Silent", tmp_path) == []
    monkeypatch.setattr("os.isatty", lambda number: True)
    assert [type(callback) for callback in built("Silent", tmp_path)] == [Silent]


def test_a_subclass_of_the_log_of_rates_needs_a_logger(tmp_path: Path) -> None:
    assert built("Rates", tmp_path, logged=False) == []
    assert [type(callback) for callback in built("Rates", tmp_path)] == [Rates]


def test_a_subclass_of_a_logger_writes_into_the_trials_folder(tmp_path: Path) -> None:
    config = {"logger": {"own": {"_target_": f"{__name__}.Table"}}}
    [logger] = build_loggers(config, tmp_path, {})
    assert isinstance(logger, Table)
    assert Path(str(logger.log_dir)) == tmp_path
