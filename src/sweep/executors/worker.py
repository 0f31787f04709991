"""The process of a placed job: its log, its lock, its attempt."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from src.sweep.attempt import attempt
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.state import State

BUSY = 75
"""Exit code of a process that found its trial run by another sweep, or done."""

ENVIRONMENT = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
"""Variables of a place that `status.json` keeps."""


def work(job: Job, command: Sequence[str], ring: Callable[[], None]) -> int:
    """Run the trial of a job that a sweep has placed; this process does nothing else.

    Args:
        job: its folder is begun.
        command: what starts this trial by itself; the ranks of a distributed trial are started by it.
        ring: is called when the files in the folder have something new to say.

    Returns:
        The exit code for the process.
    """
    folder = TrialFolder(job.folder)
    if not folder.lock():
        return BUSY
    if folder.status().get("state") != State.QUEUED:
        folder.unlock()
        return BUSY
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    folder.update(state=State.RUNNING, pid=os.getpid(), environment=environment)
    _log_to(folder.path / "train.log")
    sys.argv = list(command)
    ring()
    exit_code = attempt(job, folder, lambda _: ring(), folder.status()["attempt"])
    sys.stdout.flush()
    sys.stderr.flush()
    return exit_code


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a file descriptor is needed, not a path
        os.dup2(nothing.fileno(), 0)
