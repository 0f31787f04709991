import io
from pathlib import Path

import pytest
from rich.console import Console

from src.sweep.publish import publish
from src.sweep.rows import Entry
from src.sweep.settings import Settings
from src.sweep.state import State


@pytest.fixture
def published(tmp_path: Path) -> list[str]:
    """What is printed about two trials of which the second was resumed."""
    for place in ("aa", "bb", "bb/attempts/1"):
        run = tmp_path / "runs" / place / "wandb" / "offline-run-1-abc"
        run.mkdir(parents=True)
        (run / "run-abc.wandb").touch()
    entries = [
        Entry({"seed": seed}, State.FAILED, {}, f"runs/{name}") for name, seed in (("aa", "1"), ("bb", "2"))
    ]
    folder = tmp_path / "sweeps" / "s"
    folder.mkdir(parents=True)
    console = Console(file=io.StringIO(), width=160)
    publish(entries, folder, Settings(tmp_path, "src.trial"), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_runs_of_all_attempts_can_be_sent(published: list[str], tmp_path: Path) -> None:
    assert published[-1] == (
        f"to Weights & Biases: wandb sync {tmp_path}/runs/{{aa,bb,bb/attempts/1}}/wandb/offline-run-*"
    )


def test_forty_rows_are_printed_and_all_written(tmp_path: Path) -> None:
    metrics = {
        "objective": {"name": "f1", "value": 0.5, "direction": "max"},
        "test": {"f1": 0.4},
        "time": {"total_s": 1.0, "epochs": 1},
    }
    entries = [
        Entry({"lr": str(number), "seed": "1"}, State.FINISHED, metrics, f"runs/{number}")
        for number in range(55)
    ]
    console = Console(file=io.StringIO(), width=160)
    publish(entries, tmp_path, Settings(tmp_path, "src.trial"), console)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert printed.count("finished") == 40
    assert "… and 15 more rows in leaderboard.csv" in printed
    assert len((tmp_path / "leaderboard.csv").read_text().splitlines()) == 56


def test_what_a_pruner_stopped_is_counted_and_written(tmp_path: Path) -> None:
    metrics = {
        "objective": {"name": "f1", "value": 0.5, "direction": "max"},
        "test": {"f1": 0.4},
        "time": {"total_s": 1.0, "epochs": 1},
    }
    stopped = [Entry({"lr": str(number)}, State.PAUSED, {}, f"runs/{number}") for number in range(3)]
    for finished, told in (([Entry({"lr": "9"}, State.FINISHED, metrics, "runs/9")], 0), ([], 3)):
        console = Console(file=io.StringIO(), width=160)
        publish([*finished, *stopped], tmp_path, Settings(tmp_path, "src.trial"), console)
        assert isinstance(console.file, io.StringIO)
        printed = console.file.getvalue()
        assert printed.count("│ paused") == told
        assert ("3 paused, without figures; they are in leaderboard.csv" in printed) == bool(finished)
        assert len((tmp_path / "leaderboard.csv").read_text().splitlines()) == 1 + len(finished) + 3


def test_a_leaderboard_that_cannot_be_written_is_printed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src.sweep.reporting.write_text", full)
    console = Console(file=io.StringIO(), width=160)
    publish([Entry({}, State.FAILED, {}, "runs/a")], tmp_path, Settings(tmp_path, "src.trial"), console)
    assert isinstance(console.file, io.StringIO)
    assert "failed" in console.file.getvalue()
    assert "No space left on device. The same command writes it again." in console.file.getvalue()
