"""`overfit_batches`: trained on a few batches, always the same, and judged by them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from src.callbacks.history import read_history
from src.configuration.build import build_data
from src.configuration.checks import freeze
from src.datamodules.batches import ArrayDataset, RecordingDataset, ShuffledBatches, loader
from src.datamodules.first_batches import first_batches, overfitted
from src.datamodules.rolls.batches import RollDataset, TrainingStretches, roll_loader
from src.errors import UserError
from src.models.learner import Learner
from src.trial import run
from tests.test_roll_trial import composed as composed_rolls
from tests.test_roll_trial import write_midi

INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}


class Given:
    """A data module that gives one loader."""

    def __init__(self, train: Any) -> None:
        self._train = train

    def train_dataloader(self) -> Any:
        return self._train

    def val_dataloader(self) -> Any:
        raise AssertionError("it is judged by the training batches")


def of_items() -> Any:
    features = np.arange(20, dtype=np.float32).reshape(20, 1, 1, 1)
    return loader(ArrayDataset(features, np.arange(20)), ShuffledBatches(20, 4, seed=1))


def of_recordings() -> Any:
    features, counts = np.arange(20, dtype=np.float32).reshape(20, 1, 1, 1), np.full(10, 2)
    return loader(RecordingDataset(features, np.arange(20), counts), ShuffledBatches(10, 4, seed=1))


def of_rolls() -> Any:
    packed = np.random.default_rng(0).integers(0, 256, (60, 2), np.uint8)
    starts, lengths = np.array([0, 30]), np.array([30, 30])
    stretches = TrainingStretches(starts, lengths, n_steps=8, batch_size=2, seed=1)
    return roll_loader(RollDataset((packed,), 16), stretches)


def equal(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("make", [of_items, of_recordings, of_rolls])
def test_the_first_batches_stay_the_same(make: Any) -> None:
    usual, data = make(), Given(make())
    first = [list(usual)[:2]]
    usual.sampler.set_epoch(1)
    assert not equal(next(iter(usual)), first[0][0])
    with overfitted(data, 2):  # type: ignore[arg-type]
        epochs = [list(data.train_dataloader()) for _ in range(3)] + [list(data.val_dataloader())]
    for batches in epochs:
        assert len(batches) == 2
        assert all(map(equal, batches, first[0]))


def test_what_is_done_to_a_batch_is_not_done_to_the_next() -> None:
    kept = first_batches(Given(of_items()), 1)  # type: ignore[arg-type]
    [(features, _)] = kept
    features.zero_()
    assert next(iter(kept))[0].any()


def test_the_data_are_as_before_afterwards() -> None:
    data = Given(of_items())
    with pytest.raises(RuntimeError, match="stopped"), overfitted(data, 1):  # type: ignore[arg-type]
        raise RuntimeError("stopped")
    assert data.train_dataloader() is data._train
    with pytest.raises(AssertionError):
        data.val_dataloader()


def test_more_batches_than_there_are_are_refused() -> None:
    with pytest.raises(UserError, match="overfit_batches=6: an epoch has only 5"):
        first_batches(Given(of_items()), 6)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "true", "all", "5"])
def test_impossible_numbers_are_refused_before_any_work(composed: Any, value: str) -> None:
    with pytest.raises(
        UserError, match=rf"overfit_batches={value.capitalize() if value == 'true' else value}:"
    ):
        freeze(composed(f"overfit_batches={value}"))


def test_lightnings_own_switch_is_refused(composed: Any) -> None:
    with pytest.raises(UserError, match=r"trainer\.overfit_batches=1: .* set overfit_batches="):
        freeze(composed("+trainer.overfit_batches=1"))


def test_nothing_stops_early(composed: Any) -> None:
    assert "early_stopping" in freeze(composed())["callbacks"]
    frozen = freeze(composed("overfit_batches=1"))
    assert set(frozen["callbacks"]) == {"best", "last", "progress_bar", "learning_rate"}


def seen_by(monkeypatch: pytest.MonkeyPatch, step: str) -> list[torch.Tensor]:
    """The targets of each batch that a step of the training gets."""
    seen: list[torch.Tensor] = []
    usual = getattr(Learner, step)

    def spy(self: Learner, batch: Any, batch_idx: int) -> Any:
        if self.trainer.state.fn == "fit":
            seen.append(batch[1].clone())
        return usual(self, batch, batch_idx)

    monkeypatch.setattr(Learner, step, spy)
    return seen


def test_a_network_learns_one_batch_by_heart(
    composed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = freeze(
        composed("overfit_batches=1", "trainer.max_epochs=40", "scheduler=none", "optimizer.lr=1e-2")
    )
    trained, judged = seen_by(monkeypatch, "training_step"), seen_by(monkeypatch, "validation_step")
    folder = tmp_path / "runs" / "abc"
    folder.mkdir(parents=True)
    run(config, folder, lambda progress: None, INFO)
    losses = [row["train/loss"] for row in read_history(folder / "history.csv")]
    assert len(losses) == len(trained) == len(judged) == 40
    assert all(torch.equal(targets, trained[0]) for targets in (*trained, *judged))
    assert losses[-1] < 0.1 < 0.5 < losses[0]
    metrics = json.loads((folder / "metrics.json").read_text())
    data = build_data(config)
    assert metrics["data"]["items"] == data.n_items == {"train": 32, "val": 16, "test": 16}
    assert metrics["val"]["f1_macro"] < 0.95  # of the validation split, which it has not learned
    with Image.open(folder / "samples" / "learning_curves.png") as picture:
        assert min(picture.size) > 100


def test_a_generator_does_too_and_music_is_made_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "midi").mkdir()
    for number in range(12):
        write_midi(tmp_path / "midi" / f"{number}.mid", number)
    config = freeze(
        composed_rolls(
            f"data.root={tmp_path / 'midi'}",
            f"outputs={tmp_path}",
            "overfit_batches=1",
            "trainer.max_epochs=8",
            "callbacks=[checkpoint,music_samples]",
            "callbacks.music_samples.every_n_epochs=4",
        )
    )
    folder = tmp_path / "runs" / "abc"
    folder.mkdir(parents=True)
    run(config, folder, lambda progress: None, INFO)
    losses = [row["train/loss"] for row in read_history(folder / "history.csv")]
    assert losses == sorted(losses, reverse=True)
    assert list((folder / "samples").glob("epoch_004*"))
