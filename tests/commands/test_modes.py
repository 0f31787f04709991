from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.commands import modes
from src.processes import CORES
from src.sweep.folder import TrialFolder
from src.sweep.job import Job


def test_a_single_trial_says_how_to_send_its_runs(
    composed: Callable[..., dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def attempt(job: Job, folder: TrialFolder, *_: object, **__: object) -> int:
        run = folder.path / "wandb" / "offline-run-1-abc"
        run.mkdir(parents=True)
        (run / "run-abc.wandb").touch()
        return 0

    monkeypatch.setattr(modes, "_attempt", attempt)
    outputs = tmp_path / "my outputs"
    assert modes.train({**composed(), "outputs": str(outputs)}, []) == 0
    [line] = capsys.readouterr().out.splitlines()
    [run] = (outputs / "runs").iterdir()
    assert line == f"to Weights & Biases: wandb sync '{outputs}/runs/'{run.name}/wandb/offline-run-*"


def test_a_single_trial_uses_the_cores_that_it_may(
    composed: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def attempt(job: Job, folder: TrialFolder, *_: object, **__: object) -> int:
        used.append(modes._threads(folder, resume=False))
        return 0

    monkeypatch.setattr(modes, "_attempt", attempt)
    monkeypatch.setenv(CORES, "")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    for cores in (None, 3):
        assert modes.train({**composed(), "outputs": str(tmp_path), "cores": cores}, []) == 0
    assert used == ["8", "3"]
