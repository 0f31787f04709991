"""One attempt of a trial in this process: whatever happens, `status.json` says so."""

import importlib
import math
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from src.errors import UserError
from src.requirements import broken_library, may_be_a_broken_library
from src.sweep.folder import EXIT_CODES, INTERRUPTED_EXIT, TrialFolder
from src.sweep.job import Job

Report = Callable[[dict[str, Any]], None]
"""Takes `{"epoch", "epochs", "objective"}` after each epoch."""


class _TooLong(BaseException):
    """No `except Exception` in the trial may swallow it."""


def attempt(job: Job, folder: TrialFolder, report: Report, number: int, timeout: float | None = None) -> int:
    """Run a trial whose folder is locked and begun, and write how it ended.

    Args:
        job: the trial.
        folder: its folder, `begin` called.
        report: takes progress.
        number: the number of this attempt.
        timeout: seconds it may take, where nobody else watches over it (and the system has SIGALRM).

    Returns:
        The exit code for the process.
    """
    with _stop_signals() as stopped, _alarm(timeout):
        state, exit_code, error = _outcome(job, report, number)
    if stopped:
        state, exit_code, error = "interrupted", INTERRUPTED_EXIT, f"stopped by {stopped[0]}"
    folder.end(state, exit_code, error)
    return exit_code


def _outcome(job: Job, report: Report, number: int) -> tuple[str, int, str | None]:
    info = {
        "signature": job.signature,
        "attempt": number,
        "sweep": job.sweep,
        "overrides": list(job.overrides),
    }
    try:
        objective = importlib.import_module(job.trial).run(job.config, job.folder, report, info)
    except UserError as error:
        print(f"Error: {error}", flush=True)
        return "failed", EXIT_CODES["failed"], str(error)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) and error.code else EXIT_CODES["failed"]
        return "failed", code, f"the trial called sys.exit({error.code!r})"
    except KeyboardInterrupt:
        return "interrupted", INTERRUPTED_EXIT, "stopped by SIGINT"
    except FloatingPointError as error:
        return "nan", EXIT_CODES["nan"], str(error)
    except _TooLong as error:
        return "timeout", EXIT_CODES["timeout"], str(error)
    except Exception as error:
        if may_be_a_broken_library(error) and (reason := broken_library(error)):
            print(f"Error: {reason}", flush=True)
            return "failed", EXIT_CODES["failed"], reason
        traceback.print_exc()
        state = "oom" if _out_of_memory(error) else "failed"
        return state, EXIT_CODES[state], _last_lines(error)
    if objective is None or not math.isfinite(objective):
        return "nan", EXIT_CODES["nan"], f"the objective is {objective}"
    return "finished", 0, None


@contextmanager
def _stop_signals() -> Iterator[list[str]]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt, and remember which came."""
    came: list[str] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alarm(timeout: float | None) -> Iterator[None]:
    if timeout is None or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _TooLong(f"took longer than timeout={timeout} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _out_of_memory(error: Exception) -> bool:
    """CUDA's error, Python's own, and torch's CPU allocator, which raises a plain RuntimeError."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "allocate memory" in str(error)
    )


def _last_lines(error: Exception) -> str:
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    lines = [line for line in lines if line.strip("~^ ")]
    return "\n".join(lines[-4:])
