"""Runs the real command, `python run.py …`, in a process of its own."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest

from src.processes import CORES, PRELOADED, TARGETS

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 240.0
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
        """Run a command to its end, forked after the slow imports where that makes no difference to it.

        A sweep has its own server for its trials, and with other variables the imports may be others.
        """
        if (
            self.root == ROOT
            and "-m" not in arguments
            and environment.keys() <= {"OMP_NUM_THREADS", "COLUMNS"}
        ):
            return self.run_warm(*arguments, **environment)
        return self.run_cold(*arguments, **environment)

    def run_cold(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a process that starts from nothing."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=TIMEOUT_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run_warm(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, forked after the slow imports; a sweep that starts no trial may be one."""
        return self.warm.run([*map(str, arguments)], self.environment(environment))

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        here = str(Path(__file__).resolve().parent)
        hidden = ("WANDB_API_KEY", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTEST_CURRENT_TEST")
        # What a test has set in this process by starting processes itself; PYTHONSAFEPATH would hide a copy of src.
        hidden += ("PYTHONSAFEPATH", PRELOADED, TARGETS, CORES)
        inherited = {key: value for key, value in os.environ.items() if key not in hidden}
        return inherited | {"WANDB_MODE": "offline", "OMP_NUM_THREADS": "1", "PYTHONPATH": here} | more

    @cached_property
    def warm(self) -> "Warm":
        """A server of processes with the slow imports done."""
        return Warm(self.root, self.environment({}))

    def stop(self) -> None:
        if "warm" in self.__dict__:
            self.warm.stop()
        for process in self.started:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Warm:
    """Runs commands in processes forked from `warm.py`."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm.py")],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._folder = Path(tempfile.mkdtemp())
        self._waiting: dict[int, Future[int]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def run(self, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        code: Future[int] = Future()
        with self._lock:
            number = len(self._waiting)
            self._waiting[number] = code
            out, err = self._folder / f"{number}.out", self._folder / f"{number}.err"
            command = {
                "number": number,
                "arguments": arguments,
                "environment": environment,
                "out": str(out),
                "err": str(err),
            }
            assert self._server.stdin is not None
            self._server.stdin.write(json.dumps(command) + "\n")
            self._server.stdin.flush()
        ended = code.result(timeout=TIMEOUT_S)
        texts = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
        return subprocess.CompletedProcess(arguments, ended, *texts)

    def stop(self) -> None:
        for process in [*psutil.Process(self._server.pid).children(recursive=True), self._server]:
            with suppress(psutil.Error, ProcessLookupError):
                process.kill()
        self._server.wait()
        shutil.rmtree(self._folder)

    def _listen(self) -> None:
        assert self._server.stdout is not None
        for line in self._server.stdout:
            answer = json.loads(line)
            self._waiting[answer["number"]].set_result(answer["code"])


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
