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
