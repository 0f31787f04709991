"""Runs the real command, `python run.py …`, in a process of its own."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = ("-m", "hydra.launcher.trial=fake_trial")


@dataclass
class Project:
    """A checkout of the project and what is run in it."""

    root: Path = ROOT
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """Start a command at the head of a session of its own, as a terminal does."""
        process = subprocess.Popen(
            [sys.executable, "run.py", *map(str, arguments)],
            cwd=self.root,
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        here = str(Path(__file__).resolve().parent)
        hidden = ("WANDB_API_KEY", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTEST_CURRENT_TEST")
        inherited = {key: value for key, value in os.environ.items() if key not in hidden}
        return inherited | {"WANDB_MODE": "offline", "PYTHONPATH": here} | more

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    project = Project()
    yield project
    project.stop()


def leaderboard(outputs: Path, sweep: str) -> list[dict[str, str]]:
    with (outputs / "sweeps" / sweep / "leaderboard.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def trials(outputs: Path, sweep: str) -> list[dict[str, str]]:
    return [row for row in leaderboard(outputs, sweep) if row["kind"] == "trial"]


def ledger(outputs: Path, sweep: str) -> list[dict[str, Any]]:
    lines = (outputs / "sweeps" / sweep / "jobs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def states_of(lines: list[dict[str, Any]], override: str) -> list[str]:
    """The states that a trial went through."""
    return [line["state"] for line in lines if override in line["overrides"]]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def wait_until(condition: Any, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError, ValueError):
            if found := condition():
                return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def processes_that_mention(text: str) -> list[psutil.Process]:
    """Processes whose command line or environment names a folder: all that a sweep ever started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                told = [*process.cmdline(), *process.environ().values()]
                found += [process] if any(text in part for part in told) else []
    return found


def run_warm(
    project: Project, arguments: dict[str, list[str]], folder: Path
) -> dict[str, "subprocess.CompletedProcess[str]"]:
    """Run many commands, each in a process forked after the slow imports.

    Args:
        arguments: of each command, by its name.
        folder: for their outputs.
    """
    paths = {
        name: (folder / f"{number}.out", folder / f"{number}.err") for number, name in enumerate(arguments)
    }
    cases = [
        {"arguments": arguments[name], "out": str(out), "err": str(err)} for name, (out, err) in paths.items()
    ]
    warm = subprocess.run(
        [sys.executable, Path(__file__).with_name("warm.py")],
        input=json.dumps(cases),
        cwd=project.root,
        env=project.environment({}),
        capture_output=True,
        text=True,
        timeout=400,
        check=True,
    )
    codes = json.loads(warm.stdout.splitlines()[-1])
    return {
        name: subprocess.CompletedProcess(arguments[name], code, out.read_text(), err.read_text())
        for code, (name, (out, err)) in zip(codes, paths.items(), strict=True)
    }
