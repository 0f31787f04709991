"""One attempt of a trial in this process: whatever happens, `status.json` says so."""

import math
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from src.errors import UserError
from src.requirements import broken_library, may_be_a_broken_library
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.progress import ProgressWriter, Stopped
from src.sweep.protocol import Report, load_trial
from src.sweep.state import State

_STOPPING = (signal.SIGINT, signal.SIGTERM)


class _TooLong(BaseException):
    """No `except Exception` in the trial may swallow it."""


def attempt(job: Job, folder: TrialFolder, report: Report, number: int, timeout: float | None = None) -> int:
    """Run a trial whose folder is locked and begun, and write how it ended.

    Args:
        job: the trial.
        folder: its folder, `begin` called.
        report: is told of each epoch, too, after its line in `progress.jsonl`.
        number: the number of this attempt.
        timeout: seconds it may take, where nobody else watches over it (and the system has SIGALRM).

    Returns:
        The exit code for the process.
    """
    with _StopSignals() as signals:
        try:
            with _alarm(timeout):
                state, exit_code, error = _outcome(job, ProgressWriter(folder, report), number)
            signals.ignore()
        except KeyboardInterrupt:  # a signal that came while `_outcome` dealt with another
            signals.ignore()
        if signals.came:
            reason = folder.asked_to_stop()
            state = reason.state if reason else State.INTERRUPTED
            exit_code, error = (
                state.exit_code,
                reason.explanation if reason else f"stopped by {signals.came[0]}",
            )
        folder.end(state, exit_code, error)
    return exit_code


def _outcome(job: Job, report: Report, number: int) -> tuple[State, int, str | None]:
    info = {
        "signature": job.signature,
        "attempt": number,
        "sweep": job.sweep,
        "overrides": list(job.overrides),
    }
    try:
        objective = load_trial(job.trial).run(job.config, job.folder, report, info)
    except UserError as error:
        print(f"Error: {error}", flush=True)
        return State.FAILED, State.FAILED.exit_code, str(error)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) and error.code else State.FAILED.exit_code
        return State.FAILED, code, f"the trial called sys.exit({error.code!r})"
    except KeyboardInterrupt:
        return State.INTERRUPTED, State.INTERRUPTED.exit_code, "stopped by SIGINT"
    except Stopped as stop:
        return stop.reason.state, stop.reason.state.exit_code, str(stop)
    except FloatingPointError as error:
        return State.NAN, State.NAN.exit_code, str(error)
    except _TooLong as error:
        return State.TIMEOUT, State.TIMEOUT.exit_code, str(error)
    except Exception as error:
        if may_be_a_broken_library(error) and (reason := broken_library(error)):
            print(f"Error: {reason}", flush=True)
            return State.FAILED, State.FAILED.exit_code, reason
        traceback.print_exc()
        state = State.OOM if _out_of_memory(error) else State.FAILED
        return state, state.exit_code, _last_lines(error)
    if objective is None or not math.isfinite(objective):
        return State.NAN, State.NAN.exit_code, f"the objective is {objective}"
    return State.FINISHED, 0, None


class _StopSignals:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt until they are ignored; `came` holds their names."""

    def __init__(self) -> None:
        self.came: list[str] = []

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._interrupt) for number in _STOPPING}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def ignore(self) -> None:
        """Let nothing come between the end of a trial and the words for it in `status.json`."""
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(signal.Signals(number).name)
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
