"""Runs a sweep, from its requests to its leaderboard."""

import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console

from src.errors import UserError
from src.processes import call
from src.sweep.executors.base import Executor
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.lasting_output import LastingOutput
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan, Request, plan, prepare
from src.sweep.publish import check_reference, entries, print_plan, publish
from src.sweep.queue import Queue
from src.sweep.settings import Settings
from src.sweep.state import State
from src.sweep.table import Table
from src.terminal import PrintableConsole

_LONGEST_NAME = 255
"""Bytes that file systems allow for a name."""


def conduct(requests: Sequence[Request], settings: Settings, executor: Executor) -> tuple[int, list[float]]:
    """Run a sweep.

    Args:
        requests: the requested trials.
        settings: of the sweep.
        executor: runs the trials.

    Returns:
        The exit code (0 all finished, 1 some did not, 130 interrupted), and the objective of each
        request, NaN where there is none.

    Raises:
        UserError: a configuration was refused; no trial has started.
    """
    console = _console()
    _check_name(settings.name)
    name = settings.name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    planned = call(plan, requests, settings, name)
    if planned.problems:
        raise UserError("\nError: ".join(planned.problems))
    check_reference(planned, settings.reference)
    executor.reserve(max(1, len(planned.jobs)), planned.devices, planned.gpus)
    if settings.dry_run:
        print_plan(planned, console)
        return 0, [math.nan] * len(requests)
    folder = _sweep_folder(settings, name)
    with _locked(folder):
        code = _run(planned, settings, executor, folder, console)
    return code, [_objective(settings.outputs / "runs" / signature) for signature in planned.signatures]


def _console() -> Console:
    """Return a console for the standard output, with more than rich's 80 columns in a file or pipe."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return PrintableConsole(file=cast(IO[str], LastingOutput(sys.stdout)), width=None if terminal else 160)


def _check_name(name: str | None) -> None:
    if name is not None and (name in ("", ".", "..") or Path(name).name != name):
        raise UserError(
            f"sweep.name={name}: it is the name of a folder in outputs/sweeps; leave out slashes."
        )
    if name is not None and len(os.fsencode(name)) > _LONGEST_NAME:
        raise UserError(
            f"sweep.name={name[:20]}…: it is too long for the name of a folder; choose a shorter one."
        )


def _objective(run: Path) -> float:
    return float(TrialFolder(run).metrics().get("objective", {}).get("value", math.nan))


def _run(planned: Plan, settings: Settings, executor: Executor, folder: Path, console: Console) -> int:
    ledger = Ledger(folder / "jobs.jsonl")
    interrupted, error = False, None
    with Table(planned.jobs, console) as table, _sigterm_as_interrupt():
        try:
            if others := running_sweeps(folder):
                table.say(
                    f"{', '.join(others)} runs here, too, and each sweep uses all cores: cores=N limits one."
                )
            _queue(planned, ledger, table)
            to_run = _to_run(planned)
            if to_run:
                call(prepare, settings.trial, [job.config for job in to_run])
                executor.reserve(len(to_run), planned.devices, planned.gpus)
                error = _run_queue(Queue(to_run, executor, ledger, table, settings))
        except KeyboardInterrupt:
            interrupted = True
    with _uninterrupted():
        publish(entries(ledger, settings.outputs), folder, settings, console)
    if error is not None:
        raise error
    if interrupted:
        console.print("Interrupted. The same command continues from here.")
        return State.INTERRUPTED.exit_code
    states = [TrialFolder(job.folder).state() for job in planned.jobs]
    return 0 if all(state is not None and state.good for state in states) else 1


def _run_queue(queue: Queue) -> Exception | None:
    """Run the trials; return an error of the sweep itself, which is raised when the leaderboard is written."""
    try:
        queue.run()
    except Exception as error:
        return error
    return None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM for the seconds that the leaderboard takes."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that it stops the trials and the leaderboard is written."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _queue(planned: Plan, ledger: Ledger, table: Table) -> None:
    for job, (action, reason) in zip(planned.jobs, planned.actions, strict=True):
        state = {"reuse": "reused", "leave": str(TrialFolder(job.folder).state())}.get(action, State.QUEUED)
        ledger.write(job.signature, state, overrides=list(job.overrides))
        table.update(job.signature, state=state)
        if action != "run" or reason != "new":
            table.say(f"{job.name}: {reason}")


def _to_run(planned: Plan) -> list[Job]:
    pairs = zip(planned.jobs, planned.actions, strict=True)
    return [job for job, (action, _) in pairs if action in ("run", "resume")]


def _sweep_folder(settings: Settings, name: str) -> Path:
    sweeps = settings.outputs / "sweeps"
    sweeps.mkdir(parents=True, exist_ok=True)
    if settings.name is not None:
        (sweeps / name).mkdir(parents=True, exist_ok=True)
        return sweeps / name
    number = 1
    while True:
        folder = sweeps / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
        number += 1


def running_sweeps(folder: Path) -> list[str]:
    """Return the names of the other sweeps that run now and write to the same outputs.

    Args:
        folder: of this sweep.
    """
    found = []
    for lock in sorted(folder.parent.glob("*/.lock")):
        if lock.parent != folder:
            try:
                FileLock(lock, blocking=False).acquire().lock.release()
            except Timeout:
                found.append(lock.parent.name)
    return found


def _locked(folder: Path) -> AcquireReturnProxy[Any]:
    try:
        return FileLock(folder / ".lock", blocking=False).acquire()
    except Timeout:
        raise UserError(f"{folder} belongs to a sweep that is running; choose another sweep.name.") from None
