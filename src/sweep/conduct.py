"""A sweep from its requests to its leaderboard."""

import math
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console

from src.errors import UserError
from src.processes import call, cores
from src.sweep.folder import INTERRUPTED_EXIT, TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan, Request, plan, prepare
from src.sweep.pool import Options, Pool
from src.sweep.publish import entries, print_plan, publish
from src.sweep.slots import Slot, cpu_slots, gpu_slots
from src.sweep.table import Table

GOOD = ("finished", "pruned")


@dataclass(frozen=True)
class Settings:
    """How a sweep runs; each is a key of the command line.

    Args:
        outputs: the folder of everything.
        trial: import path of the module whose `run` is one trial.
        command: what starts one trial by itself, to which its folder is appended.
        name: the sweep's folder below `outputs/sweeps`; None makes one of date and time.
        dry_run: print the trials and stop.
        retry: run failed trials again.
        reuse: `same_code` or `any`.
        timeout: seconds a trial may take.
        gpus: names for `CUDA_VISIBLE_DEVICES`; None takes those that are there.
        trials_per_gpu: trials side by side on one GPU.
    """

    outputs: Path
    trial: str
    command: tuple[str, ...]
    name: str | None = None
    dry_run: bool = False
    retry: bool = False
    reuse: str = "same_code"
    timeout: float | None = None
    gpus: tuple[str, ...] | None = None
    trials_per_gpu: int = 1


def conduct(requests: Sequence[Request], settings: Settings) -> tuple[int, list[float]]:
    """Run a sweep.

    Returns:
        The exit code (0 all finished, 1 some did not, 130 interrupted), and the objective of each request,
        NaN where there is none.

    Raises:
        UserError: a configuration was refused; nothing has started.
    """
    console = _console()
    _check_name(settings.name)
    name = settings.name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    planned = call(plan, requests, settings.outputs, settings.trial, name, settings.retry, settings.reuse)
    if planned.problems:
        raise UserError("\nError: ".join(planned.problems))
    _slots(planned, settings, max(1, len(planned.jobs)))
    if settings.dry_run:
        print_plan(planned, console)
        return 0, [math.nan] * len(requests)
    folder = _sweep_folder(settings, name)
    with _only_here(folder):
        code = _run(planned, settings, folder, console)
    return code, [_objective(settings.outputs / "runs" / signature) for signature in planned.signatures]


def _console() -> Console:
    """The standard output; in a file or pipe lines may be longer than the 80 characters that rich assumes."""
    return Console(width=None if sys.stdout.isatty() else 160)


def _check_name(name: str | None) -> None:
    if name is not None and (name in ("", ".", "..") or Path(name).name != name):
        raise UserError(f"sweep.name={name}: it names a folder below outputs/sweeps; leave out slashes.")


def _objective(run: Path) -> float:
    return float(TrialFolder(run).metrics().get("objective", {}).get("value", math.nan))


def _run(planned: Plan, settings: Settings, folder: Path, console: Console) -> int:
    ledger = Ledger(folder / "jobs.jsonl")
    interrupted = False
    with Table(planned.jobs, console) as table, _terminated_like_interrupted():
        try:
            _queue(planned, ledger, table)
            to_run = _to_run(planned)
            if to_run:
                call(prepare, settings.trial, [job.config for job in to_run])
                slots = _slots(planned, settings, len(to_run))
                options = Options(settings.retry, settings.reuse, settings.timeout, settings.command)
                Pool(to_run, slots, ledger, table, options).run()
        except KeyboardInterrupt:
            interrupted = True
    publish(entries(ledger, settings.outputs), folder, settings.outputs, console)
    if interrupted:
        console.print("Interrupted. The same command goes on from here.")
        return INTERRUPTED_EXIT
    return 0 if all(TrialFolder(job.folder).state() in GOOD for job in planned.jobs) else 1


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM stops the trials and writes the table, as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _queue(planned: Plan, ledger: Ledger, table: Table) -> None:
    for job, (action, reason) in zip(planned.jobs, planned.actions, strict=True):
        state = {"reuse": "reused", "leave": str(TrialFolder(job.folder).state())}.get(action, "queued")
        ledger.write(job.signature, state, overrides=list(job.overrides))
        table.update(job.signature, state=state)
        if action != "run" or reason != "new":
            table.say(f"{job.name}: {reason}")


def _to_run(planned: Plan) -> list[Job]:
    pairs = zip(planned.jobs, planned.actions, strict=True)
    return [job for job, (action, _) in pairs if action in ("run", "resume")]


def _slots(planned: Plan, settings: Settings, trials: int) -> list[Slot]:
    if settings.gpus is not None:
        return gpu_slots(settings.gpus, settings.trials_per_gpu, max(1, planned.devices), cores())
    if planned.devices and planned.gpus:
        return gpu_slots(planned.gpus, settings.trials_per_gpu, planned.devices, cores())
    return cpu_slots(trials, cores())


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


def _only_here(folder: Path) -> AcquireReturnProxy[Any]:
    try:
        return FileLock(folder / ".lock", blocking=False).acquire()
    except Timeout:
        raise UserError(
            f"{folder} is the folder of a sweep that is running; choose another sweep.name."
        ) from None
