"""One real trial on a tiny folder of MIDI files, and what can be done with its checkpoint."""

import json
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.commands.checkpoint import load
from src.commands.evaluation import test as mode_test
from src.commands.generation import generate
from src.commands.prediction import predict
from src.configuration.build import build_data
from src.configuration.checks import freeze
from src.errors import UserError
from src.metrics.kinds import KINDS, cautions
from src.trial import jackknife, run
from tests.conftest import CONF

INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}
SMALL = [
    "experiment=piano_midi",
    "data.split={val: 0.25, test: 0.25}",
    "data.n_steps=16",
    "data.workers=1",
    "batch_size=4",
    "model.channels=[8]",
    "model.hidden=8",
    "model.dropout=0",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "generation.pieces=4",
    "generation.steps=32",
    "generation.prime=4",
    "generation.soundfont=none",
    "logger=[]",
]


def write_midi(path: Path, seed: int) -> None:
    """A piece of 24 random notes at multiples of a quarter of a beat."""
    rng = np.random.default_rng(seed)
    track = mido.MidiTrack()
    for _ in range(24):
        note = int(rng.integers(48, 72))
        track.append(mido.Message("note_on", note=note, velocity=70, time=120 * int(rng.integers(3))))
        track.append(mido.Message("note_off", note=note, time=120 * int(rng.integers(1, 4))))
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=[track]).save(path)


def composed(*overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("config", [*SMALL, *overrides]), resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items()}


class Trial:
    """Two trials of one configuration, seeds 1 and 2."""

    def __init__(self, folder: Path) -> None:
        (folder / "midi").mkdir()
        for number in range(12):
            write_midi(folder / "midi" / f"{number}.mid", number)
        self.outputs = folder / "outputs"
        self.places = (f"data.root={folder / 'midi'}", f"outputs={self.outputs}")
        self.config = freeze(composed(*self.places))
        self.folders = [self._run(seed) for seed in (1, 2)]
        self.checkpoints = [run / "checkpoints" / "best.ckpt" for run in self.folders]
        self.metrics = json.loads((self.folders[0] / "metrics.json").read_text())

    def _run(self, seed: int) -> Path:
        folder = self.outputs / "runs" / str(seed)
        folder.mkdir(parents=True)
        run({**self.config, "seed": seed}, folder, lambda progress: None, INFO)
        return folder

    def command(
        self, checkpoints: list[Path], outputs: Path, *overrides: str, mode: str = "generate"
    ) -> dict[str, Any]:
        return composed(f"mode={mode}", *self.places, *overrides) | {
            "checkpoint": [str(path) for path in checkpoints],
            "outputs": str(outputs),
        }


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("roll_trial"))


def test_the_objective_is_nats_a_frame_and_is_minimised(trial: Trial) -> None:
    metrics = trial.metrics
    judged = {name: metrics["objective"].pop(name) for name in ("judged", "flattered")}
    assert metrics["objective"] == {
        "name": "nll",
        "value": metrics["val"]["nll"],
        "direction": "min",
        "matters": 0.01,
        "cautions": cautions("nll"),
    }
    assert judged["judged"] == pytest.approx(metrics["val"]["nll"], rel=0.2), (
        "the halves are not of equal length"
    )
    assert 0 <= judged["flattered"] < 0.5
    assert trial.config["callbacks"]["best"]["mode"] == "min"


def test_the_totals_of_each_piece_are_kept(trial: Trial) -> None:
    for name in ("nll", "f1_micro", "f1_macro", "onset_f1"):
        [first, second] = jackknife(trial.folders, name)
        assert first is not None
        assert second is not None
        assert first.value == pytest.approx(trial.metrics["test"][name], rel=1e-5)
        assert first.items == second.items
    assert jackknife(trial.folders[:1], "pitch_range_distance") == [None]


def test_the_best_epoch_is_kept(trial: Trial) -> None:
    rows = (trial.folders[0] / "history.csv").read_text().splitlines()
    column = rows[0].split(",").index("val/nll")
    assert trial.metrics["val"]["nll"] == pytest.approx(
        min(float(row.split(",")[column]) for row in rows[1:])
    )


def test_baselines_stand_beside_it_on_test_and_validation(trial: Trial) -> None:
    baselines = trial.metrics["baselines"]
    assert set(baselines) == {"all_zero", "repeat_last", "independent_keys", "markov"}
    for values in baselines.values():
        assert {"nll", "f1_micro", "val_nll", "val_f1_micro", "threshold"} <= set(values)


def test_music_is_measured_against_held_out_music(trial: Trial) -> None:
    metrics = trial.metrics
    found = {name: value for name, value in metrics["test"].items() if name.endswith("_distance")}
    assert {"silence_distance", "pitch_range_distance"} <= set(found)
    assert found == metrics["music"]["distances"]
    markov = metrics["baselines"]["markov"]
    assert {name: markov[name] for name in found} == metrics["music"]["markov_distances"]


def test_the_data_are_summed_up(trial: Trial) -> None:
    data = trial.metrics["data"]
    assert sum(data["groups"].values()) == 12
    assert all(0 < density < 1 for density in data["density"].values())
    assert data["left_out"] == []


def test_samples_are_left(trial: Trial) -> None:
    samples = trial.folders[0] / "samples"
    assert (samples / "learning_curves.png").exists()
    pieces = sorted(samples.glob("piece_*.mid"))
    assert len(pieces) == 3
    assert all(mido.MidiFile(piece).length > 0 for piece in pieces)


def figures_of(trial: Trial, checkpoints: list[Path], outputs: Path) -> dict[str, Any]:
    assert mode_test(trial.command(checkpoints, outputs, mode="test"), []) == 0
    [path] = (outputs / "tested").glob("*/metrics.json")
    metrics: dict[str, Any] = json.loads(path.read_text())
    return metrics


def test_testing_again_repeats_the_figures_exactly(trial: Trial, tmp_path: Path) -> None:
    again = figures_of(trial, trial.checkpoints[:1], tmp_path)
    assert again["threshold"] == trial.metrics["threshold"]
    measured = {
        name: value for name, value in trial.metrics["test"].items() if not name.endswith("_distance")
    }
    assert again["test"] == measured
    assert again["val"]["nll"] == trial.metrics["val"]["nll"]


def test_several_checkpoints_average_their_probabilities(trial: Trial, tmp_path: Path) -> None:
    averaged = figures_of(trial, trial.checkpoints, tmp_path)["test"]
    data = build_data(trial.config)
    data.setup("test")
    members = [load(path).learner for path in trial.checkpoints]
    nats, frames = 0.0, 0
    for rolls, lengths in data.test_dataloader():
        for roll, length in zip(rolls, lengths.tolist(), strict=True):
            x = roll[None, :length].float()
            with torch.inference_mode():
                logits = [member.network(x[:, :-1])[0].double() for member in members]
            p = torch.stack(logits).sigmoid().mean(0).numpy()
            truth = roll[1:length].numpy() > 0
            nats -= float(np.log(np.where(truth, p, 1 - p)).sum())
            frames += len(truth)
    assert averaged["nll"] == pytest.approx(nats / frames, abs=1e-6)
    assert averaged["nll"] != trial.metrics["test"]["nll"]


def generated(trial: Trial, outputs: Path, seed: int, *overrides: str) -> dict[str, bytes]:
    config = trial.command(trial.checkpoints[:1], outputs, f"seed={seed}", *overrides)
    assert generate(config, []) == 0
    return {path.name: path.read_bytes() for path in outputs.glob("generated/*/*.mid")}


def test_the_same_seed_gives_the_same_music(trial: Trial, tmp_path: Path) -> None:
    first, again, other = (
        generated(trial, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert len(first) == 4
    assert first == again
    assert set(first.values()).isdisjoint(other.values())


def test_bars_are_counted_in_steps(trial: Trial, tmp_path: Path) -> None:
    generated(trial, tmp_path, 1, "generation.bars=2", "generation.prime=0", "generation.beats_per_bar=3")
    [path] = tmp_path.glob("generated/*/metrics.json")
    assert json.loads(path.read_text())["generation"]["bars"] == 2


@pytest.mark.parametrize(
    ("overrides", "typed", "words"),
    [
        (
            ["data.grid=seconds", "generation.bars=4"],
            ["data.grid=seconds"],
            "generation.bars=4.*generation.steps",
        ),
        (["data.n_notes=40"], ["data.n_notes=40"], "other classes or features"),
        (["data.onsets=true"], ["data.onsets=true"], "other classes or features"),
        (["+generation.barz=4"], [], "barz"),
    ],
)
def test_music_that_cannot_be_made_is_refused(
    trial: Trial, tmp_path: Path, overrides: list[str], typed: list[str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        generate(trial.command(trial.checkpoints[:1], tmp_path, *overrides), typed)
    assert not list(tmp_path.glob("generated"))


def test_other_data_than_rolls_is_refused(trial: Trial, tmp_path: Path) -> None:
    clips = trial.command(trial.checkpoints[:1], tmp_path) | {"data": _clips()}
    with pytest.raises(UserError, match="other classes or features"):
        generate(clips, ["data=synth_instruments"])


def _clips() -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose("config", ["experiment=debug"]), resolve=True)["data"]  # type: ignore[index,call-overload]


def test_prediction_points_to_generation(trial: Trial, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="mode=generate"):
        predict(trial.command(trial.checkpoints[:1], tmp_path, mode="predict"))


def test_a_classifier_makes_no_music(tmp_path: Path) -> None:
    from src.configuration.build import KIND, assemble, build_loss

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("config", ["experiment=debug"]), resolve=True)
    assert isinstance(config, dict)
    config["objective"] = "f1_macro"
    description = {
        "kind": KIND, "config": config, "classes": ["a", "b"], "target": "multilabel", "item_shape": [1, 32, 40],
    }  # fmt: skip
    learner = assemble(config, description, build_loss(config), (torch.zeros(32), torch.ones(32)))
    torch.save({"state_dict": learner.state_dict(), "hyper_parameters": description}, tmp_path / "c.ckpt")
    asked = {"checkpoint": str(tmp_path / "c.ckpt"), "outputs": str(tmp_path)}
    with pytest.raises(UserError, match=r"this checkpoint classifies: use mode=predict"):
        generate(asked, [])


def test_the_kind_answers_in_double_precision() -> None:
    """A likelihood must not end at what float32 rounds to 1."""
    logits = torch.tensor([[20.0, -20.0]])
    outputs = KINDS["rolls"].outputs(logits).numpy()
    np.testing.assert_allclose(1 - outputs[0, 0], 1 / (1 + np.exp(20.0)), rtol=1e-6)


def test_figures_on_other_data_lie_beside_those_on_its_own(trial: Trial, tmp_path: Path) -> None:
    own = trial.command(trial.checkpoints[:1], tmp_path, mode="test")
    assert mode_test(own, []) == 0
    assert mode_test(own | {"data": own["data"] | {"crop": 20}}, ["++data.crop=20"]) == 0
    found = [json.loads(path.read_text()) for path in tmp_path.glob("tested/*/metrics.json")]
    assert len(found) == 2
    assert len({metrics["test"]["nll"] for metrics in found}) == 2


def test_music_of_an_earlier_run_is_cleared_away(trial: Trial, tmp_path: Path) -> None:
    assert len(generated(trial, tmp_path, 1)) == 4
    assert len(generated(trial, tmp_path, 1, "generation.pieces=1", "generation.prime=0")) == 1


def test_a_soundfont_that_is_not_there_is_refused_before_any_work(trial: Trial) -> None:
    with pytest.raises(UserError, match="soundfont nope is not installed"):
        freeze(composed(*trial.places, "generation.soundfont=nope"))
