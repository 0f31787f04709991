"""Runs a sweep, from its requests to its leaderboard."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol, cast

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console

from src.errors import UserError
from src.sweep.executors.base import Executor
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.lasting_output import LastingOutput
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan
from src.sweep.publish import entries, publish
from src.sweep.queue import Queue
from src.sweep.settings import Settings
from src.sweep.source import Source
from src.sweep.state import State
from src.sweep.table import Table
from src.terminal import PrintableConsole

_LONGEST_NAME = 255
"""Bytes that file systems allow for a name."""


class Work(Protocol):
    """Which trials a sweep runs: all of a grid, or those that a search proposes."""

    def check(self, sweep: str) -> Plan:
        """Plan what is known before the sweep starts; raise UserError where it is refused."""

    @property
    def slots(self) -> int:
        """The most trials that can run at once."""

    def jobs(self) -> list[Job]:
        """Return the trials that are known now."""

    def show(self, console: Console) -> None:
        """Print what would run."""

    def begin(self, ledger: Ledger, table: Table) -> tuple[Source, int]:
        """Return the source of the trials, and the most of them that can run at once."""


def conduct(work: Work, settings: Settings, executor: Executor) -> int:
    """Run a sweep.

    Args:
        work: which trials it runs.
        settings: of the sweep.
        executor: runs the trials.

    Returns:
        The exit code: 0 all finished, 1 some did not, 130 interrupted.

    Raises:
        UserError: the sweep was refused; no trial has started.
    """
    console = _console()
    _check_name(settings.name)
    name = settings.name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    planned = work.check(name)
    executor.reserve(max(1, work.slots), planned.devices, planned.gpus)
    if settings.dry_run:
        work.show(console)
        return 0
    folder = _sweep_folder(settings, name)
    with _locked(folder):
        return _run(work, planned, settings, executor, folder, console)


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


def _run(
    work: Work, planned: Plan, settings: Settings, executor: Executor, folder: Path, console: Console
) -> int:
    ledger = Ledger(folder / "jobs.jsonl")
    interrupted, error = False, None
    with Table(work.jobs(), console) as table, _sigterm_as_interrupt():
        try:
            if others := running_sweeps(folder):
                table.say(
                    f"{', '.join(others)} runs here, too, and each sweep uses all cores: cores=N limits one."
                )
            source, slots = work.begin(ledger, table)
            if slots:
                executor.reserve(slots, planned.devices, planned.gpus)
                error = _run_queue(Queue(source, executor, ledger, table, settings))
        except KeyboardInterrupt:
            interrupted = True
    with _uninterrupted():
        publish(entries(ledger, settings.outputs), folder, settings, console)
    if error is not None:
        raise error
    if interrupted:
        console.print("Interrupted. The same command continues from here.")
        return State.INTERRUPTED.exit_code
    states = [TrialFolder(job.folder).state() for job in work.jobs()]
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
