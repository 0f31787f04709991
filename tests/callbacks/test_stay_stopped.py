from pathlib import Path

from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

from src.callbacks.stay_stopped import StayStopped
from tests.callbacks.test_history import fit


def test_a_training_that_had_stopped_early_does_not_go_on(tmp_path: Path) -> None:
    def callbacks(*more: Callback) -> list[Callback]:
        stopping = EarlyStopping("val/score", mode="min", patience=2)
        return [stopping, ModelCheckpoint(tmp_path, save_last=True), *more]

    last = tmp_path / "last.ckpt"
    assert fit(tmp_path, 10, callbacks(StayStopped())).current_epoch == 3
    assert fit(tmp_path, 10, callbacks(StayStopped()), last).current_epoch == 3
    assert fit(tmp_path, 10, callbacks(), last).current_epoch == 4, "Lightning itself trains on"
