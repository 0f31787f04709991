"""One real trial on tiny data, and what can be done with its checkpoint."""

import csv
import importlib.metadata
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import soundfile
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from matplotlib.figure import Figure
from PIL import Image
from sklearn.metrics import f1_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from src.callbacks.history import read_history
from src.commands.checkpoint import checkpoint_paths, load, load_all
from src.commands.evaluation import test as mode_test
from src.commands.prediction import Predictor, predict
from src.configuration.build import build_data, build_learner
from src.configuration.checks import freeze
from src.datamodules.notes.tinysol import TinySOL
from src.datamodules.synthesized.synth_instruments import SynthInstruments
from src.errors import NotFiniteError, UserError
from src.sweep.progress import Stopped
from src.sweep.state import StopReason
from src.tasks.base import Windows
from src.tasks.sound import SoundReader
from src.trial import _best_checkpoint, jackknife, run

INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, list[dict[str, Any]]]:
    """A trial: its configuration, its folder, and its reports."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from tests.conftest import CONF, TINY

    outputs = tmp_path_factory.mktemp("outputs")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose(
            "config", [*TINY, f"outputs={outputs}", "logger=[csv,tensorboard]", "trainer.max_epochs=3"]
        )
    config = freeze(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]
    folder = outputs / "runs" / "abc"
    folder.mkdir(parents=True)
    reports: list[dict[str, Any]] = []
    objective = run(config, folder, reports.append, INFO)
    assert objective == json.loads((folder / "metrics.json").read_text())["objective"]["value"]
    return config, folder, reports


Finished = tuple[dict[str, Any], Path, list[dict[str, Any]]]


def metrics_of(finished: Finished) -> dict[str, Any]:
    return json.loads((finished[1] / "metrics.json").read_text())


def test_metrics_have_all_parts(finished: Finished) -> None:
    metrics = metrics_of(finished)
    judged = {name: metrics["objective"].pop(name) for name in ("judged", "flattered")}
    assert 0 <= judged["judged"] <= 1
    assert 0 <= judged["flattered"] <= 1
    assert metrics["objective"] == {
        "name": "f1_macro",
        "value": metrics["val"]["f1_macro"],
        "direction": "max",
        "matters": 0.005,
        "cautions": {},
    }
    assert set(metrics["baselines"]) == {"class_prior", "majority", "linear", "boosting"}
    assert (
        metrics["intervals"]["f1_macro"][0]
        <= metrics["test"]["f1_macro"]
        <= metrics["intervals"]["f1_macro"][1]
    )
    assert set(metrics["test"]["f1_by_class"]) == set(build_data(finished[0]).classes)
    assert metrics["environment"]["versions"]["torch"] == importlib.metadata.version("torch")
    assert metrics["time"]["epochs"] == 3


def test_history_and_reports_have_an_entry_an_epoch(finished: Finished) -> None:
    rows = read_history(finished[1] / "history.csv")
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert all("train/loss" in row and "val/f1_macro" in row for row in rows)
    assert [report["epoch"] for report in finished[2]] == [1, 2, 3]
    assert max(row["val/f1_macro"] for row in rows) == pytest.approx(
        metrics_of(finished)["objective"]["value"]
    )


def test_pictures_are_pictures(finished: Finished) -> None:
    for name in ("learning_curves", "f1_by_class"):
        with Image.open(finished[1] / "samples" / f"{name}.png") as picture:
            assert min(picture.size) > 100


def test_a_trial_whose_samples_cannot_be_written_has_its_figures(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[bool] = []

    def full(*_: object, **__: object) -> None:
        measured.append((tmp_path / "metrics.json").exists())
        raise OSError("No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    monkeypatch.setattr(SynthInstruments, "write_errors", full)
    config = {**finished[0], "trainer": {**finished[0]["trainer"], "max_epochs": 1}, "logger": {}}
    objective = run(config, tmp_path, lambda _: None, INFO)
    assert objective == json.loads((tmp_path / "metrics.json").read_text())["objective"]["value"]
    lines = [line for line in capsys.readouterr().err.splitlines() if "is not written" in line]
    assert len(lines) == len(measured) >= 3
    assert all(measured)
    assert all("No space left on device" in line for line in lines)


def stop_after_two(progress: dict[str, Any]) -> None:
    if progress["epoch"] == 2:
        raise Stopped(StopReason.PRUNED)


def best_at_first(finished: Finished) -> dict[str, Any]:
    """A configuration of three epochs, the first of which counts as the best."""
    callbacks = finished[0]["callbacks"]
    best = {**callbacks["best"], "monitor": "epoch", "mode": "min"}
    return {**finished[0], "callbacks": {**callbacks, "best": best}, "logger": {}}


def results_of(folder: Path) -> dict[str, Any]:
    metrics = json.loads((folder / "metrics.json").read_text())
    return {part: metrics[part] for part in ("objective", "val", "test", "threshold")}


def test_a_trial_whose_folder_was_moved_goes_on_as_in_place(finished: Finished, tmp_path: Path) -> None:
    config, here, there = best_at_first(finished), tmp_path / "here", tmp_path / "there"
    with pytest.raises(Stopped):
        run(config, here, stop_after_two, INFO)
    shutil.copytree(here, there)
    run(config, here, lambda _: None, INFO)
    expected = results_of(here)
    shutil.rmtree(here)
    run(config, there, lambda _: None, INFO)
    assert torch.load(there / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] == 0
    assert results_of(there) == expected


def test_a_trial_that_is_not_to_be_tested_reads_validation_only_and_is_tested_later(
    finished: Finished, tmp_path: Path
) -> None:
    config, reports = {**finished[0], "logger": {}}, []
    objective = run(config, tmp_path, reports.append, {**INFO, "test": False})
    untested = json.loads((tmp_path / "metrics.json").read_text())
    assert "test" not in untested
    assert set(untested["intervals"]) == {"val_f1_macro"}
    with np.load(tmp_path / "predictions.npz") as kept:
        assert any(name.startswith("val_") for name in kept.files)
        assert not any(name.startswith("test_") for name in kept.files)
    assert {path.name for path in (tmp_path / "samples").iterdir()} == {"learning_curves.png"}
    assert run(config, tmp_path, reports.append, INFO) == objective
    assert [report["epoch"] for report in reports] == [1, 2, 3], "it is not trained again"
    assert results_of(tmp_path) == results_of(finished[1])


def test_a_trial_whose_best_weights_are_not_finite_has_diverged(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statistic of batch norm may overflow while loss and outputs are still finite."""

    def overflown(*_: object) -> None:
        raise NotFiniteError("weights running_var are not all finite numbers; take another file.")

    monkeypatch.setattr("src.configuration.checkpoint_files.check_weights", overflown)
    config = {**finished[0], "trainer": {**finished[0]["trainer"], "max_epochs": 1}, "logger": {}}
    with pytest.raises(FloatingPointError, match="best epoch are not all finite"):
        run(config, tmp_path, lambda _: None, INFO)


def test_a_trial_that_lost_its_best_weights_starts_again(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = best_at_first(finished)
    with pytest.raises(Stopped):
        run(config, tmp_path, stop_after_two, INFO)
    (tmp_path / "checkpoints" / "best.ckpt").unlink()
    reports: list[dict[str, Any]] = []
    run(config, tmp_path, reports.append, INFO)
    assert "best.ckpt is gone; the trial starts again" in capsys.readouterr().err
    assert [report["epoch"] for report in reports] == [1, 2, 3]
    assert [row["epoch"] for row in read_history(tmp_path / "history.csv")] == [0, 1, 2]


def test_a_trial_goes_on_from_the_checkpoint_before_one_that_is_broken(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**finished[0], "logger": {}}
    with pytest.raises(Stopped):
        run(config, tmp_path, stop_after_two, INFO)
    checkpoints = tmp_path / "checkpoints"
    (checkpoints / "last.ckpt").write_bytes(b"")
    reports: list[dict[str, Any]] = []
    run(config, tmp_path, reports.append, INFO)
    assert "the trial goes on from before_last.ckpt" in capsys.readouterr().err
    assert [report["epoch"] for report in reports] == [2, 3]
    assert [row["epoch"] for row in read_history(tmp_path / "history.csv")] == [0, 1, 2]
    assert {path.name for path in checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}


def test_loggers_wrote(finished: Finished) -> None:
    with (finished[1] / "metrics.csv").open(newline="") as file:
        assert "val/f1_macro" in next(csv.reader(file))
    assert list(finished[1].glob("events.out.tfevents.*"))


def test_tensorboard_ranks_the_trial_by_its_objective(finished: Finished) -> None:
    events = EventAccumulator(str(finished[1])).Reload()
    objective = metrics_of(finished)["objective"]["value"]
    assert [event.value for event in events.Scalars("hp_metric")] == [pytest.approx(objective)]
    [start] = [
        HParamsPluginData.FromString(content).session_start_info
        for tag, content in events.PluginTagToContent("hparams").items()
        if tag == "_hparams_/session_start_info"
    ]
    assert start.hparams["seed"].number_value == finished[0]["seed"]
    assert start.hparams["optimizer/lr"].number_value == finished[0]["optimizer"]["lr"]


def test_checkpoints_load_with_weights_only_and_hold_plain_values(finished: Finished) -> None:
    for name in ("best", "last"):
        state = torch.load(finished[1] / "checkpoints" / f"{name}.ckpt", weights_only=True)
        description = state["hyper_parameters"]
        assert json.loads(json.dumps(description)) == description


def test_the_test_figures_are_repeated_exactly(finished: Finished, tmp_path: Path) -> None:
    asked = {"class_map": {}, "thresholds": "single"}
    config = {**finished[0], **asked, "checkpoint": str(finished[1] / "checkpoints" / "best.ckpt")}
    assert mode_test(config, []) == 0
    [tested] = (Path(config["outputs"]) / "tested").glob("*/metrics.json")
    again = json.loads(tested.read_text())
    for part in ("val", "test"):
        for name, value in metrics_of(finished)[part].items():
            if not (part == "val" and name == "loss"):
                assert again[part][name] == value, name
    assert again["threshold"] == metrics_of(finished)["threshold"]


def test_what_was_answered_is_kept(finished: Finished) -> None:
    metrics, folder = metrics_of(finished), finished[1]
    assert metrics["data"]["evaluation"] == build_data(finished[0]).evaluation_signature
    [kept], [unknown] = jackknife([folder], "f1_macro"), jackknife([folder], "loss")
    assert unknown is None
    assert kept is not None
    assert kept.value == pytest.approx(metrics["test"]["f1_macro"], abs=1e-6)
    assert len(kept.without) == 16
    for name in ("average_precision", "label_ranking_average_precision", "subset_accuracy"):
        [ranked] = jackknife([folder], name)
        assert ranked is not None
        assert ranked.value == pytest.approx(metrics["test"][name], abs=1e-6)
    [on_val] = jackknife([folder], "average_precision", split="val")
    assert on_val is not None
    assert on_val.value == pytest.approx(metrics["val"]["average_precision"], abs=1e-6)
    assert jackknife([folder / "checkpoints", folder], "f1_macro")[0] is None


def test_the_published_figure_is_what_scikit_learn_finds(finished: Finished) -> None:
    trained = load(finished[1] / "checkpoints" / "best.ckpt")
    data = build_data(finished[0])
    data.setup("test")
    features, targets = data.arrays("test")
    bf16 = finished[0]["trainer"]["precision"] == "bf16-mixed"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        outputs = trained.learner.predict(torch.from_numpy(features.copy()))
    answers = outputs.numpy() > float(trained.learner.threshold)
    expected = f1_score(targets, answers, average="macro", zero_division=0)
    assert metrics_of(finished)["test"]["f1_macro"] == pytest.approx(expected, abs=1e-6)


def test_averaging_a_checkpoint_with_itself_changes_no_probability(finished: Finished) -> None:
    path = finished[1] / "checkpoints" / "best.ckpt"
    sound = np.random.default_rng(0).normal(0, 0.1, (1, 1, 6615)).astype(np.float32)
    one, two = Predictor([load(path)]), Predictor(load_all([path, path]))
    with torch.inference_mode():
        same = torch.allclose(
            one.average(*one.read.features(sound)), two.average(*two.read.features(sound)), atol=1e-6
        )
    assert same


def test_predict_writes_a_table_and_pictures_and_skips_what_is_broken(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my [songs], №1 é"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 22050).astype(np.float32)
    for name in ("a.wav", "b.flac", "c.ogg", "d.mp3"):
        soundfile.write(folder / name, noise, 22050)
    (folder / "broken.wav").write_bytes(b"no sound")
    soundfile.write(folder / "silent.wav", np.zeros(22050), 22050)
    (folder / "empty.wav").write_bytes(b"")
    config = {
        **finished[0],
        "checkpoint": str(finished[1] / "checkpoints" / "best.ckpt"),
        "input": str(folder),
        "outputs": str(tmp_path / "out"),
    }
    assert predict(config) == 1
    written = tmp_path / "out" / "predicted" / folder.name
    with (written / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {Path(row["file"]).name for row in rows} == {"a.wav", "b.flac", "c.ogg", "d.mp3"}
    windows = {(row["start_s"], row["end_s"]) for row in rows if row["file"].endswith("a.wav")}
    assert sorted(windows) == [("0.000", "0.600"), ("0.300", "0.900"), ("0.600", "1.000")]
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    assert len(list(written.glob("*.png"))) == 4
    said, skipped = capsys.readouterr()
    assert all(name in skipped for name in ("broken.wav", "silent.wav", "empty.wav"))
    assert said.startswith(f"4 classified by {config['checkpoint']}, 3 skipped: {written}/predictions.csv\n")
    unnamed = [
        name for name in "abcd" if not any(int(r["present"]) for r in rows if f"/{name}." in r["file"])
    ]
    assert (f"In {len(unnamed)} no class exceeds" in said) == bool(unnamed)


def test_a_file_costs_no_other_its_rows_and_many_are_not_drawn(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 11025).astype(np.float32)
    for name, level, rate in (("a", 1, 11025), ("huge", 1e30, 11025), ("slow", 1, 1), ("z", 1, 11025)):
        soundfile.write(folder / f"{name}.wav", level * noise, rate, subtype="FLOAT")
    soundfile.write(folder / "odd.wav", noise, 11025)
    monkeypatch.setattr("src.commands.prediction.MOST_DRAWN", 4)
    read = SoundReader.__call__

    def failing(self: SoundReader, file: Path) -> Windows:
        if file.name == "odd.wav":
            raise MemoryError("no room")
        return read(self, file)

    monkeypatch.setattr(SoundReader, "__call__", failing)
    config = {
        **finished[0],
        "checkpoint": str(finished[1] / "checkpoints" / "best.ckpt"),
        "input": str(folder),
        "outputs": str(tmp_path / "out"),
    }
    written = tmp_path / "out" / "predicted" / "songs"
    for asked, drawn in ((None, 0), (True, 2)):
        assert predict({**config, "pictures": asked}) == 1
        with (written / "predictions.csv").open(newline="", encoding="utf-8") as file:
            assert {Path(row["file"]).name for row in csv.DictReader(file)} == {"a.wav", "z.wav"}
        assert len(list(written.glob("*.png"))) == drawn
        lines = capsys.readouterr().err.splitlines()
        assert ("pictures of 5 files are left out; pictures=true draws them" in lines) == (not asked)
        assert sum(line.startswith("skipped: ") for line in lines) == 3
        assert any("huge.wav has samples of more than a million times full scale" in line for line in lines)
        assert any("odd.wav (MemoryError: no room)" in line for line in lines)
        assert any(line.startswith("files: 5 of 5") for line in lines)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [("features", "write it again at another level"), ("answers", "take another checkpoint")],
)
def test_no_prediction_is_nan(
    finished: Finished, tmp_path: Path, broken: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(0, 0.1, 11025), 11025)
    predictor = Predictor([load(finished[1] / "checkpoints" / "best.ckpt")])

    def nan(inputs: Any) -> torch.Tensor:
        return torch.full((len(inputs), len(predictor.classes)), torch.nan)

    if broken == "features":
        monkeypatch.setattr(predictor.read, "features", lambda windows: (nan(windows),))
        predictor.read.features.sample_rate = 11025  # type: ignore[attr-defined]
        predictor.read.features.channels, predictor.read.features.seconds = 1, 0.6  # type: ignore[attr-defined]
    else:
        monkeypatch.setattr(predictor, "average", nan)
    with pytest.raises(UserError, match=rf"x\.wav: .* {broken} are not all finite numbers; {problem}"):
        predictor(tmp_path / "x.wav")


def test_a_window_of_a_file_is_classified_as_the_clip_itself_is(finished: Finished, tmp_path: Path) -> None:
    data = build_data(finished[0])
    data.setup("test")
    maker = data.maker()
    index = data.n_items["train"] + data.n_items["val"]
    waveform = maker.waveform(*maker.piece(index))
    soundfile.write(tmp_path / "clip.wav", waveform, 11025, subtype="FLOAT")
    predictor = Predictor([load(finished[1] / "checkpoints" / "best.ckpt")])
    features = torch.from_numpy(data.arrays("test")[0][:1].copy())
    with torch.inference_mode():
        expected = predictor.average(features).numpy()
    np.testing.assert_allclose(predictor(tmp_path / "clip.wav").probabilities[:1], expected, atol=2e-3)


def test_a_short_file_is_heard_again_and_again(finished: Finished, tmp_path: Path) -> None:
    """As clips of this kind are, whose instruments play throughout."""
    note = np.random.default_rng(0).normal(0, 0.1, 2000).astype(np.float32)
    soundfile.write(tmp_path / "note.wav", note, 11025, subtype="FLOAT")
    soundfile.write(tmp_path / "notes.wav", np.tile(note, 4)[:6615], 11025, subtype="FLOAT")
    predictor = Predictor([load(finished[1] / "checkpoints" / "best.ckpt")])
    short, full = predictor(tmp_path / "note.wav"), predictor(tmp_path / "notes.wav")
    np.testing.assert_allclose(short.probabilities, full.probabilities[:1], atol=1e-6)
    assert short.ends_s == [pytest.approx(2000 / 11025)]


@pytest.mark.parametrize("fill", ["silence", "repeat"])
def test_a_short_file_goes_on_as_the_notes_of_training_did(
    finished: Finished, tmp_path: Path, fill: str
) -> None:
    note = np.random.default_rng(0).normal(0, 0.1, 2000).astype(np.float32)
    filled = np.resize(note, 6615) if fill == "repeat" else np.pad(note, (0, 4615))
    soundfile.write(tmp_path / "note.wav", note, 11025, subtype="FLOAT")
    soundfile.write(tmp_path / "filled.wav", filled, 11025, subtype="FLOAT")
    trained = load(finished[1] / "checkpoints" / "best.ckpt")
    trained.data = TinySOL
    trained.config["data"]["fill"] = fill
    predictor = Predictor([trained])
    short, full = predictor(tmp_path / "note.wav"), predictor(tmp_path / "filled.wav")
    np.testing.assert_allclose(short.probabilities, full.probabilities[:1], atol=1e-6)


def test_nothing_sounds_in_a_silent_window(finished: Finished, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 11025).astype(np.float32)
    soundfile.write(tmp_path / "half.wav", np.concatenate([noise, np.zeros(11025 * 2, np.float32)]), 11025)
    prediction = Predictor([load(finished[1] / "checkpoints" / "best.ckpt")])(tmp_path / "half.wav")
    silent = np.array(prediction.starts_s) >= 1.0
    assert np.all(prediction.probabilities[silent] == 0)
    assert np.all(prediction.probabilities[~silent].max(1) > 0)


@pytest.mark.parametrize("content", [b"text", b""])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(UserError, match="checkpoint"):
        load(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_kind_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "hyper_parameters": {"kind": "other"}}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="no checkpoint of this project"):
        load(tmp_path / "x.ckpt")


def test_a_missing_checkpoint_is_refused() -> None:
    with pytest.raises(UserError, match="it does not exist"):
        checkpoint_paths("nowhere.ckpt")
    with pytest.raises(UserError, match="checkpoint= is missing"):
        checkpoint_paths(None)


def test_balanced_weights_are_counted_on_the_training_part(composed: Callable[..., dict[str, Any]]) -> None:
    config = freeze(composed("loss.pos_weight=balanced"))
    data = build_data(config)
    data.prepare_data()
    data.setup("fit")
    targets = data.arrays("train")[1]
    positive = targets.sum(0)
    expected = [(len(targets) - p) / p if 0 < p < len(targets) else 1.0 for p in positive.tolist()]
    learner = build_learner(config, data)
    np.testing.assert_allclose(learner.loss.pos_weight, expected, rtol=1e-6)
    kept = learner.hparams["config"]["loss"]["pos_weight"]
    np.testing.assert_allclose(
        kept, expected, rtol=1e-6
    )  # a checkpoint repeats the loss without the training part


def test_the_checkpoint_that_is_tested_is_the_callbacks_best(tmp_path: Path) -> None:
    best, last = ModelCheckpoint(monitor="val/f1_macro", filename="best"), ModelCheckpoint(filename="last")
    trainer = lightning.Trainer(accelerator="cpu", callbacks=[last, best], logger=False)
    assert _best_checkpoint(trainer) is None
    best.best_model_path, last.best_model_path = str(tmp_path / "best.ckpt"), str(tmp_path / "last.ckpt")
    assert _best_checkpoint(trainer) == tmp_path / "best.ckpt"


def test_epochs_are_counted_as_epochs_and_a_plateau_is_sought_where_there_is_a_value(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    overrides = ("+trainer.check_val_every_n_epoch=2", "scheduler=plateau", "trainer.max_epochs=3")
    run(freeze(composed(*overrides)), tmp_path, lambda _: None, INFO)
    assert json.loads((tmp_path / "metrics.json").read_text())["time"]["epochs"] == 3
    assert [row["epoch"] for row in read_history(tmp_path / "history.csv")] == [1]


def test_a_training_that_was_never_validated_is_not_judged(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="before its first validation"):
        run(freeze(composed("+trainer.max_time=00:00:00:00")), tmp_path, lambda _: None, INFO)
