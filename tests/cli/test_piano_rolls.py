"""A real sweep on a folder of MIDI files, some of which cannot be used, and music from its best checkpoint."""

from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import leaderboard, read, trials

SMALL = (
    "experiment=piano_midi", "data.split={val: 0.25, test: 0.25}", "data.n_steps=16", "batch_size=4",
    "model.channels=[8]", "model.hidden=8", "generation.pieces=4", "generation.steps=32", "generation.prime=4",
    "trainer=cpu", "trainer.max_epochs=1", "logger=[]",
)  # fmt: skip
UNUSABLE = {"broken.mid": "", "empty.MID": "empty", "drums.midi": "drums only", "days.mid": "30,000 beats"}
BASELINES = {"all_zero", "repeat_last", "independent_keys", "markov"}


def write_midi(path, seed, channel=0, silence=0):
    """Chords of random notes, each a quarter of a beat or longer; ticks of silence go before them."""
    rng = np.random.default_rng(seed)
    track = mido.MidiTrack()
    for chord in range(24):
        notes = rng.choice(np.arange(48, 72), int(rng.integers(1, 4)), replace=False).tolist()
        for number, note in enumerate(notes):
            wait = silence if not chord + number else 0
            track.append(mido.Message("note_on", note=note, velocity=70, channel=channel, time=wait))
        for number, note in enumerate(notes):
            wait = 0 if number else 120 * int(rng.integers(1, 4))
            track.append(mido.Message("note_off", note=note, channel=channel, time=wait))
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=[track]).save(path)


@pytest.fixture(scope="module")
def swept(project, tmp_path_factory):
    """Result and outputs of a sweep over two optimizers and two seeds."""
    folder = tmp_path_factory.mktemp("rolls")
    music = folder / "Müsik [1], #2"
    music.mkdir()
    for number in range(12):
        write_midi(music / f"{number}.mid", number)
    (music / "broken.mid").write_bytes((music / "0.mid").read_bytes()[:40])
    (music / "empty.MID").write_bytes(b"")
    write_midi(music / "drums.midi", 0, channel=9)
    write_midi(music / "days.mid", 0, silence=3 * 24 * 3600 * 2 * 480)
    (music / "notes.txt").write_text("no music")
    outputs = folder / "outputs"
    result = project.run(
        "-m", *SMALL, f"data.root={music}", "optimizer=adam,sgd", "seed=1,2", "sweep.name=rolls",
        f"outputs={outputs}", OMP_NUM_THREADS="1",
    )  # fmt: skip
    return result, outputs


@pytest.mark.slow
def test_what_cannot_be_used_is_named_once_and_left_out(swept):
    result, outputs = swept
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    named = [line for line in result.stderr.splitlines() if "left out" in line]
    assert len(named) == len(UNUSABLE)
    for name, reason in UNUSABLE.items():
        [line] = [line for line in named if name in line]
        assert reason in line
    [run, *_] = outputs.glob("runs/*/metrics.json")
    data = read(run)["data"]
    assert sum(data["groups"].values()) == 12
    assert {name for name, _ in data["left_out"]} == set(UNUSABLE)


@pytest.mark.slow
def test_the_leaderboard_ranks_by_the_smallest_nll(swept):
    _, outputs = swept
    rows = trials(outputs, "rolls")
    assert {row["optimizer"] for row in rows} == {"adam", "sgd"}
    assert [row["state"] for row in rows] == ["finished"] * 2
    assert [row["n_seeds"] for row in rows] == ["2", "2"]
    values = [float(row["val_nll_mean"]) for row in rows]
    assert values == sorted(values)
    assert {"nll_mean", "f1_micro_mean", "onset_f1_mean", "pitch_range_distance_mean"} <= set(rows[0])


@pytest.mark.slow
def test_baselines_are_one_row_each(swept):
    _, outputs = swept
    rows = [row for row in leaderboard(outputs, "rolls") if row["kind"] == "baseline"]
    assert sorted(row["name"] for row in rows) == sorted(BASELINES)
    markov = next(row for row in rows if row["name"] == "markov")
    assert all(float(markov[name]) >= 0 for name in ("val_nll_mean", "nll_mean", "pitch_range_distance_mean"))


@pytest.mark.slow
def test_each_optimizer_has_its_own_learning_rate(swept):
    _, outputs = swept
    config = {
        row["optimizer"]: outputs / row["runs"].split()[0] / "config.yaml" for row in trials(outputs, "rolls")
    }
    rates = {name: _learning_rate(path) for name, path in config.items()}
    assert rates == {"adam": 1.6e-2, "sgd": 5.0}


def _learning_rate(path: Path) -> float:
    import yaml

    return float(yaml.safe_load(path.read_text(encoding="utf-8"))["optimizer"]["lr"])


@pytest.mark.slow
def test_the_best_checkpoint_makes_music(project, swept, tmp_path):
    _, outputs = swept
    best = outputs / trials(outputs, "rolls")[0]["runs"].split()[0] / "checkpoints" / "best.ckpt"
    options = ("generation.pieces=2", "generation.steps=16", "generation.prime=4")
    result = project.run("mode=generate", f"checkpoint={best}", *options, f"outputs={outputs}")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    [folder] = (outputs / "generated").iterdir()
    pieces = sorted(folder.glob("*.mid"))
    assert len(pieces) == 2
    assert all(mido.MidiFile(piece).length > 0 for piece in pieces)
    assert len(list(folder.glob("*.png"))) == 2
    assert {"generated", "held_out", "distances", "markov_distances"} <= set(read(folder / "metrics.json"))
