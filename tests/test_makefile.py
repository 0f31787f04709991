"""`make` sets an environment up once and calls what lies in it, whatever the folders are called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >> "$LOG"\n'
LINT = ["ruff check .", "ruff format --check .", "mypy "]


def made(checkout: Path, target: str, **variables: str) -> list[str]:
    """Return the programs of the environment that `make` calls."""
    log = checkout / "log"
    log.unlink(missing_ok=True)
    inherited = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(
        ["make", target],
        cwd=checkout,
        env=inherited | variables | {"LOG": str(log)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return log.read_text(encoding="utf-8").splitlines()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("environment", [None, "plain", "my own env"])
@pytest.mark.parametrize("name", ["plain", "a folder's (name) é"])
def test_make_works_whatever_the_folders_are_called(
    tmp_path: Path, name: str, environment: str | None
) -> None:
    checkout = tmp_path / name
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / file, checkout)
    folder = checkout / (environment or ".venv")
    (folder / "bin").mkdir(parents=True)
    for program in ("python", "ruff", "mypy"):
        (folder / "bin" / program).write_text(RECORD, encoding="utf-8")
        (folder / "bin" / program).chmod(0o755)
    variables = {"VIRTUAL_ENV": str(folder)} if environment else {}
    first = made(checkout, "lint", **variables)
    assert first[-3:] == LINT
    assert "python -m pip install --quiet --constraint constraints.txt setuptools>=77" in first
    assert "python run.py mode=doctor" in first
    assert made(checkout, "lint", **variables) == LINT, "it is set up once"
    assert made(checkout, "sweep", **variables) == [
        "python run.py -m optimizer=adam,adamw,rmsprop loss=bce,focal"
    ]
