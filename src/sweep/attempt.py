"""Runs one attempt of a trial in this process; however it ends, `status.json` says so."""

import math
import signal
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from src.errors import UserError, printable
from src.fingerprint import Memory
from src.requirements import broken_library, may_be_a_broken_library
from src.sweep.folder import TrialFolder
from src.sweep.identity import have_changed
from src.sweep.job import Job
from src.sweep.progress import ProgressWriter, Stopped
from src.sweep.protocol import Report, load_trial
from src.sweep.room import FULL, NO_ROOM
from src.sweep.state import State

_STOPPING = (signal.SIGINT, signal.SIGTERM)


class _TooLong(BaseException):
    """The timeout has passed; no `Exception`, so that `except Exception` in the trial does not catch it."""


class _ChangedDataError(Exception):
    """The inputs are not those that the signature was computed with."""


def attempt(job: Job, folder: TrialFolder, report: Report, number: int, timeout: float | None = None) -> int:
    """Run a trial and write how it ended.

    Args:
        job: the trial.
        folder: its folder, locked, with the attempt begun (`TrialFolder.begin`).
        report: is called after each epoch, once its line is in `progress.jsonl`.
        number: the number of this attempt.
        timeout: seconds that it may take; `None` where the queue of a sweep watches the time. Without effect on systems
            that have no SIGALRM.

    Returns:
        The exit code for the process.
    """
    with _StopSignals() as signals:
        try:
            with _alarm(timeout):
                state, exit_code, error = _outcome(job, ProgressWriter(folder, report), number)
            signals.ignore()
        except KeyboardInterrupt:  # a signal arrived while `_outcome` handled another
            signals.ignore()
        if signals.received:
            reason = folder.asked_to_stop()
            state = reason.state if reason else State.INTERRUPTED
            exit_code, error = (
                state.exit_code,
                reason.explanation if reason else f"stopped by {signals.received[0]}",
            )
        folder.end(state, exit_code, error)
    return exit_code


def _outcome(job: Job, report: Report, number: int) -> tuple[State, int, str | None]:
    info = {
        "signature": job.signature,
        "attempt": number,
        "sweep": job.sweep,
        "overrides": list(job.overrides),
        "test": job.test,
    }
    try:
        objective = _run(job, report, info)
    except UserError as error:
        print(printable(f"Error: {error}"), flush=True)
        return State.FAILED, State.FAILED.exit_code, str(error)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) and error.code else State.FAILED.exit_code
        return State.FAILED, code, f"the trial called sys.exit({error.code!r})"
    except KeyboardInterrupt:
        return State.INTERRUPTED, State.INTERRUPTED.exit_code, "stopped by SIGINT"
    except Stopped as stop:
        return stop.reason.state, stop.reason.state.exit_code, str(stop)
    except _ChangedDataError as changed:
        return State.INTERRUPTED, State.INTERRUPTED.exit_code, str(changed)
    except FloatingPointError as error:
        return State.NAN, State.NAN.exit_code, str(error)
    except _TooLong as error:
        return State.TIMEOUT, State.TIMEOUT.exit_code, str(error)
    except OSError as error:
        if error.errno not in NO_ROOM:
            return _failed(error)
        print(printable(f"Error: {error}"), flush=True)
        return State.INTERRUPTED, FULL, f"the disk is full ({error}); the same command continues"
    except Exception as error:
        return _failed(error)
    if objective is None or not math.isfinite(objective):
        return State.NAN, State.NAN.exit_code, f"the objective is {objective}"
    return State.FINISHED, 0, None


def _run(job: Job, report: Report, info: Mapping[str, Any]) -> float:
    """Run the trial, unless its data have changed; what it made of data that changed meanwhile is set aside."""
    _check_data(job)
    objective = load_trial(job.trial).run(job.config, job.folder, report, info)
    try:
        _check_data(job)
    except _ChangedDataError:
        TrialFolder(job.folder).set_aside()
        raise
    return objective


def _check_data(job: Job) -> None:
    if have_changed(job.inputs, job.outputs / "cache" / Memory.CONTENTS):
        began = "sweep" if job.sweep else "trial"
        raise _ChangedDataError(f"the data have changed since the {began} began; run the command again")


def _failed(error: Exception) -> tuple[State, int, str | None]:
    if may_be_a_broken_library(error) and (reason := broken_library(error)):
        print(printable(f"Error: {reason}"), flush=True)
        return State.FAILED, State.FAILED.exit_code, reason
    traceback.print_exception(error)
    state = State.OOM if _out_of_memory(error) else State.FAILED
    return state, state.exit_code, _last_lines(error)


class _StopSignals:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt until they are ignored; `received` holds their names."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._interrupt) for number in _STOPPING}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def ignore(self) -> None:
        """Ignore signals from now on, so that none prevents `status.json` from being written."""
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(signal.Signals(number).name)
        raise KeyboardInterrupt


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
    """Whether memory ran out: Python's error, CUDA's, or the plain RuntimeError of torch's CPU allocator."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "allocate memory" in str(error)
    )


def _last_lines(error: Exception) -> str:
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    lines = [line for line in lines if line.strip("~^ ")]
    return "\n".join(lines[-4:])
