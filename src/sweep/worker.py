"""The process of one trial: its own session, log and environment."""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from src.sweep.attempt import attempt
from src.sweep.folder import TrialFolder
from src.sweep.job import Job

GRACE_S = 10.0
"""Seconds that a trial has to stop by itself before it is killed."""
BUSY = 75
"""Exit code of a process that found its trial being run by another sweep."""


@dataclass(frozen=True)
class Place:
    """Where a trial runs.

    Args:
        slot: the slot's name, as the ledger shows it.
        environment: variables set before anything else (visible GPUs, threads).
        resume: carry the earlier attempt on from its last checkpoint.
        command: what starts this trial by itself; the ranks of a distributed trial are started by it.
    """

    slot: str
    environment: dict[str, str]
    resume: bool
    command: tuple[str, ...]


def work(job: Job, place: Place, pipe: "Connection[Any, Any]") -> None:
    """Run one trial and exit with its exit code. The target of a trial's process.

    Args:
        job: the trial.
        place: where and how it runs.
        pipe: progress goes up; when the other end is gone, so is the sweep, and the trial stops.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    os.environ.update(place.environment)
    folder = TrialFolder(job.folder)
    if not folder.lock():
        os._exit(BUSY)
    number = folder.begin(
        job.config, resume=place.resume, code=job.code, pid=os.getpid(), environment=place.environment
    )
    _log_to(folder.path / "train.log")
    sys.argv = list(place.command)
    alone = _stop_with(pipe)
    pipe.send({"attempt": number})
    code = attempt(job, folder, lambda progress: _send(pipe, progress), number)
    sys.stdout.flush()
    sys.stderr.flush()
    if alone.is_set():
        _end_session()
    os._exit(code)


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a file descriptor is needed, not a path
        os.dup2(nothing.fileno(), 0)


def _stop_with(pipe: "Connection[Any, Any]") -> threading.Event:
    """Stop the trial when the sweep is gone: politely, then not. The event is set from then on."""
    alone = threading.Event()

    def watch() -> None:
        try:
            pipe.recv()
        except (EOFError, OSError):
            alone.set()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(GRACE_S)
            _end_session()

    threading.Thread(target=watch, daemon=True).start()
    return alone


def _end_session() -> None:
    """End this process with all that it has started; a sweep that lives does this itself."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _send(pipe: "Connection[Any, Any]", progress: dict[str, Any]) -> None:
    try:
        pipe.send(progress)
    except OSError:
        os.kill(os.getpid(), signal.SIGTERM)
