"""A logger that fails is left out, and training goes on."""

from pathlib import Path

import lightning
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger

from src.configuration.guarded_loggers import CALLED, guard


class Model(BoringModel):
    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.save_hyperparameters()

    def validation_step(self, batch, batch_idx):  # type: ignore[no-untyped-def]
        self.log("val/score", float(self.current_epoch))


@pytest.mark.parametrize("method", CALLED)
def test_training_goes_on_and_one_line_says_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    failing, other = CSVLogger(tmp_path / "failing"), CSVLogger(tmp_path / "other")

    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left\non device")

    monkeypatch.setattr(failing, method, fail)
    for logger in (failing, other):
        guard(logger)
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=2, limit_train_batches=2, limit_val_batches=1, logger=[failing, other],
        default_root_dir=tmp_path, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Model())
    lines = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert lines == [
        "CSVLogger failed and is left out from here on; the trial goes on (OSError: No space left on device)"
    ]
    assert (Path(other.log_dir) / "metrics.csv").exists()


def test_ctrl_c_is_no_failure_of_a_logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = CSVLogger(tmp_path)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(logger, "save", interrupted)
    guard(logger)
    with pytest.raises(KeyboardInterrupt):
        logger.save()
