import subprocess
from pathlib import Path

import pytest

from src.sweep.offline_runs import sync_command


def add_run(folder: Path) -> str:
    run = folder / "wandb" / "offline-run-20260101_000000-abc"
    run.mkdir(parents=True)
    (run / "run-abc.wandb").touch()
    return str(run)


@pytest.mark.parametrize("name", ["outputs", "my outputs, [2] $HOME's"])
def test_a_shell_finds_the_runs_of_all_attempts(tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "runs"
    added = [add_run(root / place) for place in ("aa", "bb", "bb/attempts/1", "bb/attempts/2")]
    (root / "cc" / "wandb" / "offline-run-20260101_000000-abc").mkdir(parents=True)  # it did not begin
    command = sync_command(root, ["bb", "aa", "cc"])
    assert command is not None
    assert command.startswith("wandb sync ")
    pasted = "printf '%s\\n' " + command.removeprefix("wandb sync ")
    shown = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == added


def test_a_single_run_needs_no_braces(tmp_path: Path) -> None:
    add_run(tmp_path / "aa")
    assert sync_command(tmp_path, ["aa"]) == f"wandb sync {tmp_path}/aa/wandb/offline-run-*"


def test_without_runs_there_is_nothing_to_send(tmp_path: Path) -> None:
    assert sync_command(tmp_path, ["aa"]) is None
