"""A job's process on this machine: forked, leader of its own session; it ends when the sweep does."""

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from src.sweep.executors.worker import work
from src.sweep.job import Job

GRACE_S = 10.0
"""Seconds that a trial has to stop by itself before it is killed."""


def work_forked(
    job: Job, command: Sequence[str], environment: Mapping[str, str], pipe: "Connection[Any, Any]"
) -> NoReturn:
    """Run a job's trial and exit with its exit code; the target of a forked process.

    Args:
        job: see `work`.
        command: see `work`.
        environment: variables that are set first (visible GPUs, threads).
        pipe: to the sweep; a byte is sent when the files in the folder have changed. When the other end is closed, the
            sweep is gone, and the trial stops.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    os.environ.update(environment)
    _guard(pipe)
    os._exit(work(job, command, lambda: _ring(pipe)))


def _ring(pipe: "Connection[Any, Any]") -> None:
    try:
        pipe.send_bytes(b"!")
    except OSError:
        os.kill(os.getpid(), signal.SIGTERM)


def _guard(pipe: "Connection[Any, Any]") -> None:
    """Stop this process when the sweep is gone.

    Where there is fork, a process of its own watches: a trial that computes in C may hold Python's lock for minutes,
    and then no thread of it runs.
    """
    trial = os.getpid()
    if not hasattr(os, "fork"):
        threading.Thread(target=_stop_with_sweep, args=(pipe, trial), daemon=True).start()
    elif os.fork() == 0:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        with suppress(BaseException):
            _stop_with_sweep(pipe, trial)
        os._exit(0)


def _stop_with_sweep(pipe: "Connection[Any, Any]", trial: int) -> None:
    """Wait until the sweep is gone; then stop the trial, at first with SIGTERM, and all that it has started."""
    with suppress(EOFError, OSError):
        pipe.recv_bytes()
    with suppress(ProcessLookupError):
        os.kill(trial, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while trial in (os.getpid(), os.getppid()) and time.monotonic() < deadline:
        time.sleep(0.05)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
