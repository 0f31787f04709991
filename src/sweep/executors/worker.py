"""Runs a placed job in its process: takes the lock, redirects the output to the log, runs the attempt."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from src.sweep.attempt import attempt
from src.sweep.folder import TrialFolder
from src.sweep.identity import changed_since_loaded, code
from src.sweep.job import Job
from src.sweep.room import FULL, NO_ROOM
from src.sweep.state import State

BUSY = 75
"""Exit code of a process whose trial another sweep is running or has finished."""

ENVIRONMENT = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
"""Environment variables of a slot that are written to `status.json`."""


def work(job: Job, command: Sequence[str], ring: Callable[[], None]) -> int:
    """Run the trial of a job that a sweep has placed; the process must do nothing else.

    Args:
        job: the state in its folder is `queued`.
        command: arguments for Python that run this trial; a distributed trial starts its other ranks with them.
        ring: is called when the files in the folder have changed.

    Returns:
        The exit code for the process.
    """
    folder = TrialFolder(job.folder)
    if not folder.lock():
        return BUSY
    if folder.status().get("state") != State.QUEUED:
        folder.unlock()
        return BUSY
    try:
        return _work(job, folder, command, ring)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return FULL


def _work(job: Job, folder: TrialFolder, command: Sequence[str], ring: Callable[[], None]) -> int:
    if _code_has_changed(job, folder):
        return State.INTERRUPTED.exit_code
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    folder.update(state=State.RUNNING, pid=os.getpid(), environment=environment)
    _log_to(folder.path / "train.log")
    sys.argv = list(command)
    ring()
    exit_code = attempt(job, folder, lambda _: ring(), folder.status()["attempt"])
    if changed := changed_since_loaded():
        print(f"{', '.join(changed)}: changed on disk meanwhile; this trial ran the code as it was before.")
        folder.update(code_changed=changed)
    sys.stdout.flush()
    sys.stderr.flush()
    return exit_code


def _code_has_changed(job: Job, folder: TrialFolder) -> bool:
    """Whether this process has loaded other code than that which the trial's signature was computed with."""
    if code() == job.code:
        return False
    told = "the code in src/ has changed since the sweep began; run the command again"
    folder.end(State.INTERRUPTED, State.INTERRUPTED.exit_code, told)
    return True


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a file descriptor is needed, not a path
        os.dup2(nothing.fileno(), 0)
