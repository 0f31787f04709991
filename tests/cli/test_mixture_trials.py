"""Mixtures and single notes by the real command line: trained, tested again, asked of a file, begun from each other."""

import csv
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from conftest import read

from tests.datamodules.notes.tiny_notes import FORMATS, INSTRUMENTS, tone, write_notes

PLAYED = (
    "[{name: Flute, program: 73, low: 60, high: 69}, {name: Oboe, program: 68, low: 60, high: 69},"
    " {name: Trumpet, program: 56, low: 60, high: 69}, {name: Violin, program: 40, low: 60, high: 69}]"
)
SMALL = (
    "data.note_seconds=0.5", "data.clip_seconds=0.5", "data.features.sample_rate=8000", "data.features.n_fft=512",
    "data.features.hop_length=256", "data.features.n_mels=32", "data.workers=1", "batch_size=4",
    "trainer=cpu", "trainer.max_epochs=1", "scheduler=none", "logger=[]",
)  # fmt: skip
MIXTURES = (
    "data=mixtures", f"data.instruments={PLAYED}", "data.n_sources=2",
    "data.n_mixtures={train: 32, val: 16, test: 16}",
)  # fmt: skip
THREADS = {"OMP_NUM_THREADS": "1"}


def run(project, *arguments):
    result = project.run(*arguments, **THREADS)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result


def only(folder):
    [found] = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("TinySOL (ä)")
    write_notes(root, formats=FORMATS)
    return root


@pytest.fixture(scope="module")
def trained(project, root, tmp_path_factory):
    """Outputs of a training on mixtures and of one on single notes, side by side."""
    mixed, single = tmp_path_factory.mktemp("mixed"), tmp_path_factory.mktemp("single")
    commands = [
        (*MIXTURES, *SMALL, f"outputs={mixed}"),
        (
            "data=tinysol",
            f"data.root={root}",
            "data.incomplete=true",
            "loss=cross_entropy",
            *SMALL,
            f"outputs={single}",
        ),
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda command: run(project, *command), commands))
    return mixed, single


@pytest.fixture(scope="module")
def later(project, trained, tmp_path_factory):
    """Outputs of a test, a prediction and a training that begins with the single notes' features."""
    mixed, single = trained
    sounds = tmp_path_factory.mktemp("sounds")
    soundfile.write(sounds / "duo.wav", tone(0, 62, 1.2, 22050) + tone(2, 66, 1.2, 22050), 22050)
    best = only(mixed / "runs") / "checkpoints" / "best.ckpt"
    features = only(single / "runs") / "checkpoints" / "best.ckpt"
    begun = tmp_path_factory.mktemp("begun")
    commands = [
        ("mode=test", f"checkpoint={best}", f"outputs={mixed}"),
        ("mode=predict", f"checkpoint={best}", f"input={sounds / 'duo.wav'}", f"outputs={mixed}"),
        (*MIXTURES, *SMALL, f"init_from={features}", "transfer.frozen_epochs=1", f"outputs={begun}"),
    ]  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda command: run(project, *command), commands))
    return mixed, begun, features


@pytest.mark.slow
def test_mixtures_are_trained_and_measured(trained):
    metrics = read(only(trained[0] / "runs") / "metrics.json")
    assert set(metrics["test"]["f1_by_class"]) == {"Flute", "Oboe", "Trumpet", "Violin"}
    assert metrics["data"]["items"] == {"train": 32, "val": 16, "test": 16}
    assert metrics["data"]["notes"] == {"train": 72, "val": 24, "test": 24}
    assert metrics["data"]["leak"] is False
    assert set(metrics["baselines"]) == {"class_prior", "majority", "linear", "boosting"}


@pytest.mark.slow
def test_single_notes_are_trained_and_measured(trained):
    metrics = read(only(trained[1] / "runs") / "metrics.json")
    assert set(metrics["test"]["f1_by_class"]) == set(INSTRUMENTS)
    assert metrics["data"]["items"] == {"train": 18, "val": 6, "test": 6}


@pytest.mark.slow
def test_a_test_repeats_the_trials_figures(later):
    mixed, _, _ = later
    trial, tested = read(only(mixed / "runs") / "metrics.json"), read(only(mixed / "tested") / "metrics.json")
    for part in ("val", "test"):
        figures = {name: value for name, value in trial[part].items() if isinstance(value, float)}
        assert {name: tested[part].get(name, value) for name, value in figures.items()} == pytest.approx(
            figures, abs=1e-6
        )
        assert tested[part]["f1_by_class"] == pytest.approx(trial[part]["f1_by_class"], abs=1e-6)
    assert {"f1_macro", "f1_micro"} <= set(tested["test"])
    assert tested["threshold"] == pytest.approx(trial["threshold"])
    assert tested["data"]["signature"] == trial["data"]["signature"]


@pytest.mark.slow
def test_a_file_is_classified_in_windows_of_a_mixture(later):
    mixed, _, _ = later
    with (only(mixed / "predicted") / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["instrument"] for row in rows} == {"Flute", "Oboe", "Trumpet", "Violin"}
    assert sorted({float(row["start_s"]) for row in rows}) == pytest.approx(np.arange(0, 0.8, 0.25))
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)


@pytest.mark.slow
def test_a_training_begins_with_the_features_of_another(later):
    import torch

    _, begun, features = later
    folder = only(begun / "runs")
    assert read(folder / "metrics.json")["data"]["name"] == "mixtures"
    theirs = torch.load(features, weights_only=True)["state_dict"]
    ours = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    kept = {name for name in ours if name.startswith("network.") and not name.startswith("network.head.")}
    assert len(kept) > 10
    for name in kept:  # the one epoch was frozen
        assert torch.equal(ours[name], theirs[name]), name
    heads = [name for name in ours if name.startswith("network.head.")]
    assert {ours[name].shape[0] for name in heads} == {4}
    assert {theirs[name].shape[0] for name in heads} == {3}


@pytest.mark.slow
def test_notes_that_were_trained_on_are_not_tested(project, trained):
    mixed, _ = trained
    best = only(mixed / "runs") / "checkpoints" / "best.ckpt"
    split = "data.split={train: [0, 1], val: [3], test: [2]}"
    result = project.run("mode=test", f"checkpoint={best}", split, f"outputs={mixed}", **THREADS)
    assert result.returncode == 2
    assert "data.split: another draw of the splits would test on items that" in result.stderr
