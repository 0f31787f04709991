"""A further kind of items is trained, tested and predicted with, and nothing in src knows it."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from src.commands.checkpoint import load_all
from src.commands.evaluation import test as mode_test
from src.commands.prediction import predict
from src.configuration.checks import freeze
from src.configuration.targets import find_task
from src.configuration.trust import VARIABLE
from src.datamodules.base import DataModule
from src.errors import UserError
from src.losses.base import Loss
from src.models.learner import Batch, Learner
from src.tasks.base import TASKS, Findings, Finished, Prediction, Reader, Task, Trained, Windows, register
from src.trial import run

INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}
SIZES = {"train": 64, "val": 32, "test": 32}


class VectorData(DataModule):
    """Vectors of `width` numbers; the class is the largest of the first three."""

    name = "vectors"
    inputs = "vectors"
    target = "multiclass"
    grouped_by = "vector"
    feature_options = ("width",)

    def __init__(self, *, width: int, **options: Any) -> None:
        super().__init__(**options, workers=1)
        self.classes = ("first", "second", "third")
        self.width, self.item_shape, self.n_items = width, (width,), dict(SIZES)

    def recipe(self) -> Mapping[str, Any]:
        return {"width": self.width}

    def code_modules(self) -> Sequence[Any]:
        return ()

    def check(self) -> None:
        return None

    def contact_sheet(self, folder: Path) -> None:
        raise NotImplementedError

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        x = np.random.default_rng(list(SIZES).index(split)).random((SIZES[split], self.width), np.float32)
        return x, x[:, :3].argmax(1)

    def groups(self, split: str) -> np.ndarray:
        first = sum(list(SIZES.values())[: list(SIZES).index(split)])
        return np.arange(first, first + SIZES[split])

    def statistics(self) -> tuple[np.ndarray, ...]:
        return (self.arrays("train")[0].mean(0),)

    def _loader(self, split: str) -> DataLoader[Any]:
        return DataLoader(
            TensorDataset(*map(torch.from_numpy, self.arrays(split))), batch_size=self.batch_size
        )

    def train_dataloader(self) -> DataLoader[Any]:
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        return self._loader("test")


class Linear(nn.Module):
    """From (B, width) to logits (B, n_classes)."""

    targets = ("multiclass",)
    inputs = ("vectors",)

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, n_classes)

    def check(self, item_shape: Sequence[int]) -> None:
        assert item_shape == (self.head.in_features,)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


class VectorLearner(Learner):
    """Centres vectors."""

    centre: Tensor

    def __init__(self, network: nn.Module, loss: nn.Module, *, centre: Tensor, **options: Any) -> None:
        super().__init__(network, loss, **options)
        self.register_buffer("centre", centre)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x - self.centre)
        return logits

    def logits_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self(batch[0]), batch[1]


class Vectors(Task):
    name = "vectors"
    statistics = ("centre",)
    must_agree = ("width",)
    columns = ("file", "line", "answer")

    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        return {"n_classes": n_columns, "width": item_shape[0]}

    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        return VectorLearner(network, loss, description=description, **options)

    def check(self, config: Mapping[str, Any], data: DataModule) -> None:
        assert isinstance(data, VectorData)
        if data.width < 3:
            raise UserError(f"data.width={data.width}: choose 3 or more.")

    def further_metrics(self, learner: Learner, data: DataModule) -> dict[str, float]:
        return {"bias": float(learner.network.head.bias.detach().abs().max())}  # type: ignore[union-attr,operator]

    def finish(self, finished: Finished) -> Findings:
        wrong = (finished.answers.outputs.argmax(1) != finished.answers.targets).sum()
        return Findings({"margin": 1.0}, {"majority": {"margin": 0.0}}, {"wrong": int(wrong)})

    def write_samples(self, finished: Finished) -> None:
        super().write_samples(finished)
        np.savetxt(finished.samples / "weights.txt", finished.learner.network.head.weight.detach())  # type: ignore[union-attr]

    def files(self, source: Path) -> list[Path]:
        return sorted(source.glob("*.txt"))

    def reader(self, trained: Trained) -> Reader:
        def read(file: Path) -> Windows:
            try:
                lines = np.loadtxt(file, np.float32, ndmin=2)
            except ValueError as error:
                raise UserError(f"{file} has no numbers") from error
            times = list(map(float, range(len(lines) + 1)))
            silent = np.zeros(len(lines), bool)
            return Windows(times[:-1], times[1:], silent, iter([(torch.from_numpy(lines),)]))

        return read

    def rows(self, prediction: Prediction, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for line, probabilities in enumerate(prediction.probabilities):
            yield prediction.file.name, line, names[probabilities.argmax()]


@pytest.fixture
def config(composed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A configuration of vectors, as it would be composed of two more YAML files."""
    monkeypatch.setenv(VARIABLE, __name__)
    monkeypatch.setitem(TASKS, "vectors", Vectors())
    own = composed("loss=cross_entropy", "scheduler=none", "optimizer.lr=0.1", "trainer.max_epochs=30")
    own["callbacks"] = {name: own["callbacks"][name] for name in ("best", "last") if name in own["callbacks"]}
    target = {"_target_": f"{__name__}.Linear"}
    return {**own, "data": {"_target_": f"{__name__}.VectorData", "width": 5}, "model": target}


@pytest.fixture
def trial(config: dict[str, Any], tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """What `freeze` made of it, and the folder of a trial."""
    frozen, folder = freeze(config), tmp_path / "runs" / "abc"
    folder.mkdir(parents=True)
    run(frozen, folder, lambda progress: None, INFO)
    return frozen, folder


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_trial_measures_it_and_leaves_its_samples(trial: tuple[dict[str, Any], Path]) -> None:
    config, folder = trial
    metrics = read(folder / "metrics.json")
    assert "generation" not in config
    assert metrics["test"]["accuracy"] > metrics["baselines"]["majority"]["accuracy"] + 0.2
    assert metrics["wrong"] == round((1 - metrics["test"]["accuracy"]) * SIZES["test"])
    assert (metrics["test"]["margin"], metrics["baselines"]["majority"]["margin"]) == (1.0, 0.0)
    assert "margin" not in metrics["baselines"]["linear"]
    assert np.loadtxt(folder / "samples" / "weights.txt").shape == (3, 5)
    assert {"learning_curves.png", "confusion.png"} <= {file.name for file in folder.glob("samples/*")}


def test_a_test_repeats_its_figures(trial: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    config, folder = trial
    checkpoint = str(folder / "checkpoints" / "best.ckpt")
    assert mode_test({**config, "checkpoint": checkpoint, "class_map": {}, "thresholds": "single"}, []) == 0
    [path] = tmp_path.glob("tested/*/metrics.json")
    expected = read(folder / "metrics.json")["test"]
    del expected["margin"]  # of the samples, which a test does not leave
    assert read(path)["test"] == expected
    assert len(load_all([Path(checkpoint)] * 2)) == 2


def test_a_prediction_reads_its_own_files(trial: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    config, folder = trial
    source = tmp_path / "files"
    source.mkdir()
    (source / "a.txt").write_text("0.9 0 0 0.5 0.5\n0 0 0.9 0.5 0.5\n")
    (source / "b.txt").write_text("words\n")
    asked = {"checkpoint": str(folder / "checkpoints" / "best.ckpt"), "input": str(source)}
    assert predict({**config, **asked}) == 1
    with (tmp_path / "predicted" / "files" / "predictions.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "answer"],
            ["a.txt", "0", "first"],
            ["a.txt", "1", "third"],
        ]


def test_a_data_set_can_not_forget_its_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"cache_dir": tmp_path, "batch_size": 4, "shuffle_seed": 1, "width": 5}
    assert VectorData(**options).groups("test").tolist() == list(range(96, 128))
    monkeypatch.delattr(VectorData, "groups")
    with pytest.raises(TypeError, match=r"VectorData needs a method groups\(split\)"):
        VectorData(**options)


def test_its_checks_are_made_before_any_work(config: dict[str, Any]) -> None:
    config["data"]["width"] = 2
    with pytest.raises(UserError, match=r"data\.width=2: choose 3 or more"):
        freeze(config)


def test_what_is_not_registered_is_refused(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TASKS, "vectors")
    with pytest.raises(UserError, match=r"there is no task vectors; known are .*rolls, .*sequences"):
        freeze(config)
    register(Vectors)
    assert isinstance(find_task("vectors"), Vectors)
