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
    orphaned = _stop_with(pipe)
    exit_code = work(job, command, lambda: _ring(pipe))
    if orphaned.is_set():
        _end_session()
    os._exit(exit_code)


def _ring(pipe: "Connection[Any, Any]") -> None:
    try:
        pipe.send_bytes(b"!")
    except OSError:
        os.kill(os.getpid(), signal.SIGTERM)


def _stop_with(pipe: "Connection[Any, Any]") -> threading.Event:
    """Watch the pipe; when the sweep is gone, set the returned event, and stop the trial, at first with SIGTERM."""
    orphaned = threading.Event()

    def watch() -> None:
        with suppress(EOFError, OSError):
            pipe.recv_bytes()
        orphaned.set()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        _end_session()

    threading.Thread(target=watch, daemon=True).start()
    return orphaned


def _end_session() -> None:
    """Kill this process with all that it has started; otherwise the sweep does this."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
