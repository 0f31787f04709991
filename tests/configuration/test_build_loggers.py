"""W&B runs that begin although something is broken; they are real and stay on this machine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import wandb
from lightning.pytorch.loggers import CSVLogger, Logger

from src.configuration.build_loggers import _forget_service, build_loggers, close_loggers, settle_loggers
from src.configuration.checks import freeze
from src.configuration.trust import VARIABLE
from src.errors import UserError

TARGET = "lightning.pytorch.loggers.WandbLogger"
INFO = {"signature": "abc", "attempt": 2, "sweep": "", "overrides": []}


class Refusing(CSVLogger):
    """A logger that cannot begin."""

    @property
    def experiment(self) -> Any:
        raise OSError("no room")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing of W&B runs in this process, before and after."""
    for name in ("WANDB_SERVICE", "WANDB_MODE"):
        monkeypatch.setenv(name, "")  # restored afterwards, whatever W&B writes
        monkeypatch.delenv(name)
    yield monkeypatch
    _forget_service()


def begun(folder: Path, mode: str = "offline") -> list[Logger]:
    config = {"logger": {"wandb": {"_target_": TARGET, "project": "polysweep", "mode": mode}}}
    return build_loggers(config, folder, INFO)


def offline_runs(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("wandb/offline-run-*/*.wandb")]


def test_a_trial_does_not_depend_on_the_service_of_a_sweep(
    service: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.setenv("WANDB_SERVICE", f"3-{os.getpid()}-unix-{tmp_path / 'gone'}")
    [logger] = begun(tmp_path)
    logger.log_metrics({"val/score": 0.5}, 1)
    close_loggers([logger], failed=False)
    assert offline_runs(tmp_path) == ["run-abc-2.wandb"]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("service")
def test_a_service_that_dies_costs_the_rest_of_the_run_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [logger] = begun(tmp_path)
    for process in psutil.Process().children(recursive=True):
        if "wandb-core" in process.name():
            process.kill()
            process.wait()
    for step in range(3):
        logger.log_metrics({"val/score": 0.5}, step)
    logger.finalize("success")
    close_loggers([logger], failed=False)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "WandbLogger failed and is left out" in lines[0]
    [another] = begun(tmp_path / "another")
    another.log_metrics({"val/score": 0.5}, 1)
    close_loggers([another], failed=False)
    assert offline_runs(tmp_path / "another") == ["run-abc-2.wandb"]


def test_a_run_that_cannot_be_sent_stays_on_this_machine(
    service: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = wandb.init

    def init(**options: Any) -> Any:
        if os.environ.get("WANDB_MODE") != "dryrun":
            raise wandb.errors.CommError("Run initialization has timed out")
        return real(**options)

    service.setattr(wandb, "init", init)
    [logger] = begun(tmp_path, "online")
    logger.log_metrics({"val/score": 0.5}, 1)
    close_loggers([logger], failed=False)
    assert offline_runs(tmp_path) == ["run-abc-2.wandb"]
    [line] = capsys.readouterr().err.splitlines()
    assert "stays on this machine" in line


def test_a_logger_that_cannot_begin_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, __name__)
    config = {"logger": {"own": {"_target_": f"{__name__}.Refusing"}}}
    assert build_loggers(config, tmp_path, INFO) == []
    [line] = capsys.readouterr().err.splitlines()
    assert "Refusing" in line
    assert "no room" in line


def test_a_logger_without_a_class_is_refused() -> None:
    with pytest.raises(UserError, match=r"logger\._target_"):
        settle_loggers({"csv": {"prefix": "a"}})


def test_the_mode_is_settled_before_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = {
        "wandb": {"_target_": TARGET, "mode": "auto"},
        "csv": {"_target_": "lightning.pytorch.loggers.CSVLogger"},
    }
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert settle_loggers(loggers)["wandb"]["mode"] == "offline"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert set(settle_loggers(loggers)) == {"csv"}


def test_a_disabled_logger_is_in_no_configuration(
    monkeypatch: pytest.MonkeyPatch, composed: Callable[..., dict[str, Any]]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert freeze(composed("logger=[wandb]"))["logger"] == {}
