"""What docs/extending.md shows works as it stands there."""

import csv
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import yaml
from sklearn.metrics import hamming_loss

from src.commands.evaluation import test as mode_test
from src.commands.prediction import predict
from src.configuration.build import build_data, build_learner
from src.configuration.checks import freeze
from src.configuration.roles import key_roles
from src.configuration.targets import find_task
from src.configuration.trust import VARIABLE
from src.errors import UserError
from src.metrics.further import BASELINES, METRICS
from src.metrics.kinds import KINDS, direction
from src.options import Role
from src.tasks.base import TASKS
from src.trial import measured_baselines, run
from tests.docs.examples import EXTENDING, code_blocks
from tests.tasks.test_fourth_kind import SIZES, VectorData

Example = Callable[[str, int, str], ModuleType]
INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}
PITCHES = {"C": 261.63, "E": 329.63, "G": 392.0}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """Imports a block of a heading, written to a folder; what it registers is taken out again."""
    monkeypatch.syspath_prepend(tmp_path)
    find_task("rolls")  # the project's own are registered once a process
    registries: tuple[dict[str, Any], ...] = (TASKS, METRICS, BASELINES)
    before = [{key: copy(value) for key, value in registry.items()} for registry in registries]
    names = []

    def import_it(heading: str, number: int, name: str) -> ModuleType:
        (tmp_path / f"{name}.py").write_text(code_blocks(heading)[number])
        names.append(name)
        return importlib.import_module(name)

    yield import_it
    for registry, kept in zip(registries, before, strict=True):
        registry.clear()
        registry.update(kept)
    for name in names:
        sys.modules.pop(name)


class Tones(VectorData):
    """Profiles in which one of three pitch classes is the strongest."""

    inputs = "profiles"

    def __init__(self, **options: Any) -> None:
        super().__init__(width=12, **options)
        self.classes = tuple(PITCHES)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(list(SIZES).index(split))
        targets = rng.integers(0, 3, SIZES[split])
        profiles = rng.random((SIZES[split], 12), np.float32) / 2
        profiles[np.arange(len(targets)), np.array([0, 4, 7])[targets]] = 1
        return profiles, targets

    def statistics(self) -> tuple[np.ndarray, ...]:
        return ()


def test_a_metric(example: Example, composed: Callable[..., dict[str, Any]]) -> None:
    example("A metric", 0, "hamming")
    rng = np.random.default_rng(0)
    outputs, truth = rng.random((50, 4)), rng.random((50, 4)) < 0.4
    found = KINDS["multilabel"].evaluate(torch.from_numpy(outputs), torch.from_numpy(truth), 0.7, "abcd")
    assert found["hamming_loss"] == pytest.approx(hamming_loss(truth, outputs > 0.7))
    assert direction("hamming_loss") == "min"
    assert freeze(composed("objective=hamming_loss"))["objective"] == "hamming_loss"


def test_a_baseline(example: Example, composed: Callable[..., dict[str, Any]]) -> None:
    example("A baseline", 0, "nearest")
    data = build_data(composed())
    data.prepare_data()
    data.setup("fit")
    baselines = measured_baselines(data)
    assert list(baselines)[-1] == "nearest"
    assert baselines["nearest"].keys() == baselines["linear"].keys()
    train = data.arrays("train")
    data.arrays = lambda split: train  # type: ignore[method-assign]
    for file in data.folder.glob("baselines-*.json"):
        file.unlink()
    assert measured_baselines(data)["nearest"]["f1_micro"] == 1


def test_a_task(
    example: Example,
    composed: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv(VARIABLE, f"{__name__},profile_linear")
    example("A task", 0, "profiles")
    example("A task", 1, "profile_linear")
    config = composed("loss=cross_entropy", "scheduler=none", "optimizer.lr=0.1", "trainer.max_epochs=20")
    config["data"], config["model"] = (
        {"_target_": f"{__name__}.Tones"},
        {"_target_": "profile_linear.ProfileLinear"},
    )
    frozen, folder = freeze(config), tmp_path / "runs" / "abc"
    folder.mkdir(parents=True)
    run(frozen, folder, lambda progress: None, INFO)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9
    asked = {"class_map": {}, "thresholds": "single"}
    command = {**frozen, **asked, "checkpoint": str(folder / "checkpoints" / "best.ckpt")}
    assert mode_test(command, []) == 0
    [tested] = tmp_path.glob("tested/*/metrics.json")
    assert json.loads(tested.read_text())["test"] == metrics["test"]
    (tmp_path / "sounds").mkdir()
    for name, hertz in PITCHES.items():
        tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(22050 * 2) / 22050)
        soundfile.write(tmp_path / "sounds" / f"{name}.wav", tone, 22050)
    assert predict({**command, "input": str(tmp_path / "sounds")}) == 0
    with (tmp_path / "predicted" / "sounds" / "predictions.csv").open(newline="") as file:
        present = {
            (Path(row["file"]).stem, row["instrument"])
            for row in csv.DictReader(file)
            if row["present"] == "1"
        }
    assert present == {(name, name) for name in PITCHES}


def of_yaml(heading: str, target: str) -> dict[str, Any]:
    """The options of a heading's YAML block, of a class that lies elsewhere."""
    [block] = code_blocks(heading, "yaml")
    return {**yaml.safe_load(block), "_target_": target}


def test_a_network_and_a_data_set(
    example: Example,
    composed: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv(VARIABLE, "mean_mlp,drum_takes")
    example("A network", 0, "mean_mlp")
    example("A data set", 0, "drum_takes")
    (tmp_path / "drums").mkdir()
    rng = np.random.default_rng(0)
    for number, drummer in enumerate("abcdefghij"):
        for hertz, drum in ((200, "snare"), (60, "kick"), (500, "tom")):
            tone = np.sin(2 * np.pi * (hertz + number) * np.arange(22050) / 22050)
            noise = rng.normal(size=22050) / 50
            soundfile.write(tmp_path / "drums" / f"{drum}_{drummer}_1.wav", 0.3 * tone + noise, 22050)
    config = composed("loss=cross_entropy", "batch_size=4")
    config["data"] = {**of_yaml("A data set", "drum_takes.DrumTakes"), "workers": 1}
    config["data"]["root"] = str(tmp_path / "drums")
    config["model"] = of_yaml("A network", "mean_mlp.MeanMLP")
    frozen = freeze(config)
    data = build_data(frozen)
    data.prepare_data()
    data.setup("fit")
    assert data.n_items == {"train": 12, "val": 4, "test": 4}
    inputs, _ = next(iter(data.train_dataloader()))
    assert build_learner(frozen, data)(inputs).shape == (4, 2)
    assert key_roles(frozen)["data.root"] == {Role.PATH, Role.INPUT}
    for group, option, value in (("data", "drums", ["snare"]), ("model", "hidden", 0)):
        wrong = {**frozen, group: {**frozen[group], option: value}}
        with pytest.raises(UserError, match=rf"^{group}\.{option}=.*: choose .*\.$"):
            freeze(wrong)


@pytest.mark.parametrize("heading", ["A network", "A data set", "A metric", "A baseline", "A task"])
def test_examples_are_written_as_the_code_is(heading: str, tmp_path: Path) -> None:
    """Linted as files of this project are."""
    for number, block in enumerate(code_blocks(heading)):
        file = tmp_path / f"block_{number}.py"
        file.write_text(block)
        settings = ("--config", str(EXTENDING.parents[1] / "pyproject.toml"))
        for check in (("check",), ("format", "--check")):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *check, *settings, str(file)], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout


def test_other_headings_are_not_among_the_blocks() -> None:
    assert len(code_blocks("A metric")) == 1
    assert "KNeighborsRegressor" not in code_blocks("A metric")[0]
    with pytest.raises(KeyError):
        code_blocks("An orchestra")
