"""A job's process on this machine: forked, at the head of a session of its own, gone when the sweep is."""

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
    """Run a job's trial and exit with its exit code. The target of the process.

    Args:
        job: see `work`.
        command: likewise.
        environment: variables set before anything else (visible GPUs, threads).
        pipe: a byte goes up when there is something to read in the folder; when the other end is gone, so is
            the sweep, and the trial stops.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    os.environ.update(environment)
    alone = _stop_with(pipe)
    exit_code = work(job, command, lambda: _ring(pipe))
    if alone.is_set():
        _end_session()
    os._exit(exit_code)


def _ring(pipe: "Connection[Any, Any]") -> None:
    try:
        pipe.send_bytes(b"!")
    except OSError:
        os.kill(os.getpid(), signal.SIGTERM)


def _stop_with(pipe: "Connection[Any, Any]") -> threading.Event:
    """Stop the trial when the sweep is gone: politely, then not. The event is set from then on."""
    alone = threading.Event()

    def watch() -> None:
        with suppress(EOFError, OSError):
            pipe.recv_bytes()
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
