"""One epoch on each data set of recordings, made here in its own layout, and prediction from what was trained."""

import csv
import json

import numpy as np
import pytest
from conftest import read

from tests.datamodules.recordings.sources.films import chirps, write_media
from tests.datamodules.sounds import noise, tone, write

SMALL = (
    "data.features.sample_rate=8000", "data.features.n_fft=512", "data.features.win_length=null",
    "data.features.hop_length=200", "data.features.n_mels=72", "data.workers=1", "model.channels=[4,4,8,8]",
    "batch_size=8", "augment=[]", "trainer=cpu", "trainer.max_epochs=1", "logger=[]",
)  # fmt: skip


def irmas(root):
    """Two classes that differ in pitch, two test excerpts with both."""
    for place, label in enumerate(("flu", "tru")):
        for number in range(8):
            path = root / "IRMAS-TrainingData" / label / f"[{label}][nod][jaz_blu]{number:04d}__1.wav"
            write(path, tone(400 + 1500 * place + number, 3.0, 8000, 2), 8000)
    part = root / "IRMAS-TestingData-Part1" / "Part1"
    for number in range(2):
        write(part / f"A song, live-{number}.wav", tone(400, 7.0) + tone(1900 + number, 7.0))
        (part / f"A song, live-{number}.txt").write_text("flu\t\ntru\t\n")
    return "experiment=irmas_original", "data.parts=[1]", "data.incomplete=true"


def folder(root):
    """Two classes in stereo, and a file that cannot be used."""
    for place, label in enumerate(("high, [1]", "low é")):
        for number in range(10):
            write(root / label / f"{number}.flac", tone(2000 - 1600 * place + number, 2.0, 16000, 2), 16000)
    (root / "low é" / "broken.mp3").write_text("no sound")
    return "data=folder", "loss=cross_entropy", "data.channels=2", "data.clip_seconds=1.0", "data.max_bad=0.1"


def nsynth(root):
    for part, number in (("train", 4), ("valid", 2), ("test", 2)):
        notes = {}
        for family in ("bass", "flute"):
            for pitch in range(60, 60 + number):
                name = f"{family}_{part}_000-{pitch:03d}-100"
                notes[name] = {
                    "instrument_family_str": family, "instrument_str": f"{family}_{part}_000", "pitch": pitch,
                }  # fmt: skip
                write(
                    root / f"nsynth-{part}" / "audio" / f"{name}.wav",
                    noise(4.0, 8000, 1, len(notes) + 10 * number + ord(part[1])),
                )
        (root / f"nsynth-{part}" / "examples.json").write_text(json.dumps(notes))
    return "data=nsynth", "loss=cross_entropy", "data.incomplete=true"


def chmusic(root):
    for instrument in range(1, 12):
        for piece in range(1, 6):
            write(root / f"{instrument}.{piece}.wav", noise(6.0 + piece, seed=10 * instrument + piece))
    return "data=chmusic", "loss=cross_entropy"


def chinese(root):
    """Five films with pictures, one entry whose second passage lies past the end."""
    root.mkdir(parents=True)
    entries = []
    for number, labels in enumerate((["gong"], ["erhu"], ["dizi"], ["pipa", "gong"], ["erhu", "dizi"])):
        write_media(root / f"film {number}.mp4", (number + 1) / 5 * chirps(7.0), video=True)
        entries.append(
            {"video": f"film {number}.mp4", "labels": labels, "time_stamps_to_extract": [["0:00", 6]]}
        )
    entries[2]["time_stamps_to_extract"].append(["1:00", "2:00"])
    (root / "sources.json").write_text(json.dumps(entries), encoding="utf-8")
    return "experiment=chinese", "data.on_error=skip"


@pytest.fixture(scope="module")
def trained(project, tmp_path_factory):
    """By data set: the result of training, and its outputs."""
    done = {}
    for make in (irmas, folder, nsynth, chmusic, chinese):
        place = tmp_path_factory.mktemp(make.__name__)
        root = place / "Größe [1], #2"
        options = make(root)
        done[make.__name__] = (
            project.run(
                *options, *SMALL, f"data.root={root}", f"outputs={place / 'out'}", OMP_NUM_THREADS="1"
            ),
            place / "out",
        )
    return done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "recordings"),
    [
        ("irmas", {"train": 14, "val": 2, "test": 2}),
        ("folder", {"train": 14, "val": 3, "test": 3}),
        ("nsynth", {"train": 8, "val": 4, "test": 4}),
        ("chmusic", {"train": 33, "val": 11, "test": 11}),
        ("chinese", {"train": 6, "val": 2, "test": 2}),
    ],
)
def test_an_epoch_through_the_command_line(trained, name, recordings):
    result, outputs = trained[name]
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    [metrics] = outputs.glob("runs/*/metrics.json")
    found = read(metrics)
    assert found["data"]["recordings"] == recordings
    assert found["data"]["left_out"] == (1 if name == "folder" else 0)
    assert 0 <= found["test"]["f1_macro"] <= 1
    assert "linear" in found["baselines"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["irmas", "folder"])
def test_prediction_from_stereo_checkpoints(project, trained, tmp_path, name):
    _, outputs = trained[name]
    [checkpoint] = outputs.glob("runs/*/checkpoints/best.ckpt")
    sounds = tmp_path / "sounds"
    write(sounds / "stereo.wav", np.concatenate([tone(2000, 4.0, 44100, 2), np.zeros((4 * 44100, 2))]), 44100)
    write(sounds / "mono.mp3", tone(400, 0.7, 16000), 16000)
    result = project.run("mode=predict", f"checkpoint={checkpoint}", f"input={sounds}", f"outputs={tmp_path}")
    assert result.returncode == 0, result.stderr
    [table] = tmp_path.glob("predicted/*/predictions.csv")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    windows = {}
    for row in rows:
        windows.setdefault((row["file"], row["start_s"]), []).append(row)
    assert {row["file"].rpartition("/")[2] for row in rows} == {"stereo.wav", "mono.mp3"}
    for (_, start), window in windows.items():
        total = sum(float(row["probability"]) for row in window)
        present = [row for row in window if row["present"] == "1"]
        if float(start) >= 4.5:  # resampling rings into the first silent window
            assert total == 0
            assert not present
        elif name == "folder":
            assert total == pytest.approx(1, abs=1e-4)
            assert present == [max(window, key=lambda row: float(row["probability"]))]


@pytest.mark.slow
def test_testing_again_gives_the_same_figures(project, trained, tmp_path):
    _, outputs = trained["irmas"]
    [run] = outputs.glob("runs/*")
    result = project.run(
        "mode=test",
        f"checkpoint={run / 'checkpoints' / 'best.ckpt'}",
        f"outputs={outputs}",
        OMP_NUM_THREADS="1",
    )
    assert result.returncode == 0, result.stderr
    [tested] = outputs.glob("tested/*/metrics.json")
    assert read(tested)["test"]["f1_macro"] == pytest.approx(read(run / "metrics.json")["test"]["f1_macro"])


@pytest.mark.slow
def test_what_is_missing_is_one_line(project, tmp_path):
    result = project.run(
        "mode=prepare", "experiment=irmas", f"data.root={tmp_path / 'gone'}", f"outputs={tmp_path}"
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    [line] = [line for line in result.stderr.splitlines() if "IRMAS" in line]
    assert "zenodo" in line
    irmas(tmp_path / "irmas")
    for path in (tmp_path / "irmas").glob("IRMAS-TrainingData/*/*[1-9]__1.wav"):
        path.unlink()
    root = f"data.root={tmp_path / 'irmas'}"
    result = project.run(
        "mode=prepare", "data=irmas", "data.incomplete=true", root, "data.workers=1", f"outputs={tmp_path}"
    )
    assert result.returncode == 2
    assert "split has no recording" in result.stderr.splitlines()[-1]
