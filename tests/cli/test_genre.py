"""Genre by the real command line: from published feature files and from a folder of music."""

import csv

import numpy as np
import pytest
from conftest import names_in, read

from tests.datamodules.sequences.feature_folders import clip, genre_folder, write_array
from tests.datamodules.sounds import write

SMALL = (
    "loss=cross_entropy", "data.workers=1", "batch_size=8", "augment=[]",
    "trainer=cpu", "trainer.max_epochs=2", "scheduler=none", "optimizer.lr=3e-3", "logger=[]",
)  # fmt: skip
THREADS = {"OMP_NUM_THREADS": "1"}
RATE = 22050


def run(project, *arguments, code=0):
    result = project.run(*arguments, **THREADS)
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result


def only(folder):
    [found] = folder.iterdir()
    return found


def damage(place):
    """Cut a file short, put NaN into another, take a file from its label and a label from its file."""
    train = sorted((place / "train").iterdir())
    cut = next(path for path in train if path.suffix == ".gz")
    cut.write_bytes(cut.read_bytes()[:200])
    spoilt = next(path for path in train if path.suffix == ".npy")
    array = np.load(spoilt)
    array[3, 5] = np.nan
    np.save(spoilt, array)
    gone = [path for path in train if path not in (cut, spoilt)][-2]
    gone.unlink()
    write_array(place / "train" / "777.fused.full.npy", clip(777))
    return cut.name, spoilt.name, gone.name.split(".")[0], "777"


@pytest.fixture(scope="module")
def published(project, tmp_path_factory):
    """What was damaged in a folder of feature files, and the result and outputs of training on it."""
    place = tmp_path_factory.mktemp("published")
    root = place / "Größe [1], #2"
    named = damage(genre_folder(root))
    genre_folder(root, beat=True)
    options = ("experiment=genre_original", f"data.root={root}", *SMALL, f"outputs={place / 'out'}")
    return named, options, run(project, *options, "data.max_bad=0.1"), place / "out"


@pytest.mark.slow
def test_published_files_are_trained_on_and_what_is_damaged_is_named(published):
    named, _, result, outputs = published
    for name in named:
        assert name in result.stderr
    trial = only(outputs / "runs")
    metrics = read(trial / "metrics.json")
    assert metrics["data"]["left_out"] == 4
    assert metrics["data"]["items"]["test"] == 16  # four clips of each of four genres that are not dropped
    assert set(metrics["test"]["confusion"]) == {"Jazz", "Metal", "Rock"}
    assert sum(map(sum, (row.values() for row in metrics["test"]["confusion"].values()))) == 16
    assert {"linear", "majority", "class_prior"} <= set(metrics["baselines"])
    assert {"confusion.png", "precision_recall_by_class.png", "learning_curves.png"} <= names_in(
        trial / "samples"
    )


@pytest.mark.slow
def test_too_much_damage_stops_before_training(project, published, tmp_path):
    _, options, _, _ = published
    of_data = [option for option in options[:-1] if option.startswith(("experiment=", "data"))]
    result = run(project, *of_data, f"outputs={tmp_path}", "mode=prepare", code=2)
    assert "files cannot be used" in result.stderr.splitlines()[-1]


@pytest.mark.slow
def test_the_six_inputs_are_one_sweep_and_testing_again_gives_the_same_figures(project, published):
    _, options, _, outputs = published
    sweep = ("-m", *options, "data.max_bad=0.1", "sweep.name=six", "trainer.max_epochs=1")
    run(project, *sweep, "data.features=mel,chroma,fused", "data.beat_sync=false,true")
    with (outputs / "sweeps" / "six" / "leaderboard.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "trial"]
    inputs = {(row["data.features"], row["data.beat_sync"].lower()) for row in rows}
    assert inputs == {(f, b) for f in ("mel", "chroma", "fused") for b in ("false", "true")}
    assert {row["state"] for row in rows} == {"finished"}
    trial = outputs / rows[0]["runs"]
    run(project, "mode=test", f"checkpoint={trial / 'checkpoints' / 'best.ckpt'}", f"outputs={outputs}")
    tested = read(only(outputs / "tested") / "metrics.json")
    assert tested["test"]["f1_macro"] == pytest.approx(read(trial / "metrics.json")["test"]["f1_macro"])


@pytest.mark.slow
def test_one_batch_is_learned_by_heart(project, published, tmp_path):
    _, options, _, _ = published
    heart = ("overfit_batches=1", "trainer.max_epochs=60", "data.max_bad=0.1", f"outputs={tmp_path}")
    run(project, *options[:-1], *heart)
    trial = only(tmp_path / "runs")
    with (trial / "history.csv").open(newline="") as file:
        losses = [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
    assert losses[0] > 0.5
    assert min(losses[-3:]) < 0.1
    assert "learning_curves.png" in names_in(trial / "samples")


def music(root):
    """Two genres that differ in register and pulse, in four formats, and a file that cannot be used."""
    rng = np.random.default_rng(1)
    for place, genre in enumerate(("drone, [low]", "tune é")):
        for number in range(10):
            seconds = np.arange(int((2.5 + 0.1 * number) * RATE)) / RATE
            pitch = 110 * 2 ** (place * 2 + rng.integers(12) / 12)
            beat = (seconds * 2 % 1 < 0.3) if place else 1.0
            sound = 0.3 * np.sin(2 * np.pi * pitch * seconds) * beat + 0.01 * rng.normal(size=len(seconds))
            suffix = ("wav", "flac", "mp3", "ogg")[number % 4]
            write(root / genre / f"song {number}.{suffix}", sound[:, None], RATE)
    (root / "tune é" / "broken.wav").write_bytes(b"no sound")


@pytest.fixture(scope="module")
def heard(project, tmp_path_factory):
    """A folder of music, and the outputs of training on it."""
    place = tmp_path_factory.mktemp("music")
    music(place / "my music")
    options = (
        "data=genre_audio", f"data.root={place / 'my music'}", "model=cnn2d", "data.clip_seconds=2.0",
        "data.max_bad=0.1", "data.feature_files=true", *SMALL, f"outputs={place / 'out'}",
    )  # fmt: skip
    result = run(project, *options)
    assert "broken.wav" in result.stderr
    return place


@pytest.mark.slow
def test_a_folder_of_music_becomes_feature_files_that_can_be_trained_on(project, heard):
    outputs = heard / "out"
    metrics = read(only(outputs / "runs") / "metrics.json")
    assert metrics["data"]["items"] == {"train": 14, "val": 3, "test": 3}
    [written] = outputs.glob("cache/genre_audio-*/feature_files")
    files = list((written / "fma_genre_spectrograms").glob("*/*.npy.gz"))
    assert len(files) == 20
    again = (
        "data=genre_features", f"data.root={written}", "model=sequence_lstm", "data.merge=null", *SMALL,
        f"outputs={heard / 'again'}",
    )  # fmt: skip
    run(project, *again)
    found = read(only(heard / "again" / "runs") / "metrics.json")
    assert set(found["test"]["confusion"]) == {"drone, [low]", "tune é"}
    assert found["data"]["items"]["test"] == 3


@pytest.mark.slow
def test_the_genre_of_a_file_is_predicted(project, heard, tmp_path):
    checkpoint = only(heard / "out" / "runs") / "checkpoints" / "best.ckpt"
    sound = heard / "my music" / "tune é" / "song 9.flac"
    run(project, "mode=predict", f"checkpoint={checkpoint}", f"input={sound}", f"outputs={tmp_path}")
    [table] = tmp_path.glob("predicted/*/predictions.csv")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = [row for row in rows if row["start_s"] == "0.000"]
    assert {row["instrument"] for row in first} == {"drone, [low]", "tune é"}
    assert sum(float(row["probability"]) for row in first) == pytest.approx(1, abs=1e-4)
    assert [row["present"] for row in first].count("1") == 1


def predicted(project, checkpoint, sound, outputs):
    run(project, "mode=predict", f"checkpoint={checkpoint}", f"input={sound}", f"outputs={outputs}")
    [table] = outputs.glob("predicted/*/predictions.csv")
    with table.open(newline="", encoding="utf-8") as file:
        return [float(row["probability"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def scores(project, tmp_path_factory):
    """Outputs of the preset in small, on scores."""
    outputs = tmp_path_factory.mktemp("scores")
    small = (
        "experiment=debug_genre",
        "data.workers=1",
        "data.clips_per_genre=6",
        "batch_size=4",
        "logger=[]",
    )
    run(project, *small, "trainer=cpu", f"outputs={outputs}")
    return outputs


@pytest.mark.slow
def test_scores_are_trained_on_and_loudness_tells_a_prediction_nothing(project, scores, tmp_path):
    trial = only(scores / "runs")
    assert read(trial / "metrics.json")["data"]["items"] == {"train": 12, "val": 3, "test": 3}
    time = np.arange(4 * RATE) / RATE
    sound = 0.5 * np.sin(2 * np.pi * 440 * time) * (time * 2 % 1 < 0.5)
    found = []
    for gain in (1.0, 0.05):
        place = tmp_path / str(gain)
        path = write(place / "sound.wav", gain * sound[:, None], RATE, subtype="FLOAT")
        found.append(predicted(project, trial / "checkpoints" / "best.ckpt", path, place))
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)


@pytest.mark.slow
def test_what_a_checkpoint_was_trained_on_is_not_tested_by_another_draw(project, scores):
    checkpoint = only(scores / "runs") / "checkpoints" / "best.ckpt"
    again = ("mode=test", f"checkpoint={checkpoint}", f"outputs={scores}")
    for change, says in (
        ("data.seed=2", "data.seed: another draw"),
        ("data.beat_sync=true", "data.beat_sync=False"),
    ):
        result = run(project, *again, change, code=2)
        assert says in result.stderr.splitlines()[-1]
