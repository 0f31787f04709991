"""Valence, energy and danceability by the real command line, where they can be known and where they cannot."""

import csv

import numpy as np
import pytest
from conftest import names_in, read

from tests.datamodules.sequences.feature_folders import (
    AXES,
    genre_folder,
    mood_clip,
    write_array,
    write_table,
)
from tests.datamodules.sounds import tone, write

SIZES = {"train": 700, "test": 400}
OPTIONS = (
    "experiment=mood", "data.workers=1", "trainer=cpu", "trainer.max_epochs=12", "logger=[]",
    "optimizer.lr=3e-3", "data.split={val: 0.15, test: 0.15}",
)  # fmt: skip


def mood_folder(root, *, shuffled, sizes=SIZES):
    """Clips whose mel says their numbers; shuffled, the numbers are those of other clips."""
    place, rng = root / "multitask_dataset", np.random.default_rng(9)
    for part, count in sizes.items():
        values = rng.random((count, 3)).round(3)
        told = rng.permutation(values) if shuffled else values
        rows = [("Id", *AXES)]
        for number in range(count):
            name = f"{number if part == 'train' else 5000 + number}"
            write_array(place / part / f"{name}.fused.full.npy", mood_clip(values[number], number, 16))
            rows.append((name, *map(str, told[number])))
        write_table(place / f"{part}_labels.txt", rows, ",")


def trained(project, place, *, shuffled, loss):
    mood_folder(place / "mood", shuffled=shuffled)
    result = project.run(
        *OPTIONS, loss, f"data.root={place / 'mood'}", f"outputs={place / 'out'}", OMP_NUM_THREADS="1"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    [trial] = (place / "out" / "runs").iterdir()
    return trial


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["loss=multitask", "loss=uncertainty"])
def test_a_relation_that_is_there_is_found(project, tmp_path, loss):
    trial = trained(project, tmp_path, shuffled=False, loss=loss)
    metrics = read(trial / "metrics.json")
    assert metrics["data"]["items"]["test"] == SIZES["test"]
    assert metrics["test"]["spearman"] >= 0.9
    assert set(metrics["test"]["spearman_by_axis"]) == set(AXES)
    low, high = metrics["intervals"]["spearman"]
    assert low <= metrics["test"]["spearman"] <= high
    assert "spearman_by_axis.png" in names_in(trial / "samples")
    with (trial / "history.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert ("train/log_variance_energy" in columns) == (loss == "loss=uncertainty")


@pytest.mark.slow
def test_a_relation_that_is_not_there_is_not_found(project, tmp_path):
    trial = trained(project, tmp_path, shuffled=True, loss="loss=multitask")
    assert abs(read(trial / "metrics.json")["test"]["spearman"]) <= 0.1


@pytest.mark.slow
def test_mood_begins_with_the_features_of_a_genre_network(project, tmp_path):
    genre_folder(tmp_path / "genre")
    mood_folder(tmp_path / "mood", shuffled=False, sizes={"train": 60, "test": 12})
    small = ("data.workers=1", "trainer=cpu", "trainer.max_epochs=1", "logger=[]", "batch_size=8")
    commands = [
        (
            "experiment=genre",
            "data=genre_features",
            f"data.root={tmp_path / 'genre'}",
            f"outputs={tmp_path / 'a'}",
        ),
        ("experiment=mood", f"data.root={tmp_path / 'mood'}", f"outputs={tmp_path / 'b'}"),
    ]
    for number, command in enumerate(commands):
        begun = [f"init_from={next((tmp_path / 'a').glob('runs/*/checkpoints/best.ckpt'))}"] if number else []
        result = project.run(*command, *small, *begun, OMP_NUM_THREADS="1")
        assert result.returncode == 0, result.stdout + result.stderr
    [metrics] = (tmp_path / "b").glob("runs/*/metrics.json")
    assert read(metrics)["data"]["items"]["test"] == 12
    [checkpoint] = (tmp_path / "b").glob("runs/*/checkpoints/best.ckpt")
    sound = write(tmp_path / "song.wav", tone(440, 3.0, 22050), 22050)
    result = project.run("mode=predict", f"checkpoint={checkpoint}", f"input={sound}", f"outputs={tmp_path}")
    assert result.returncode == 0, result.stderr
    assert "was trained on feature files" in result.stderr
    with (tmp_path / "predicted" / "song.wav" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["instrument"] for row in rows] == list(AXES)
    assert {row["present"] for row in rows} == {""}
    assert all(np.isfinite(float(row["probability"])) for row in rows)
