"""A sweep from its requests to its leaderboard."""

import json
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from src.errors import UserError
from src.processes import call, cores
from src.sweep.folder import INTERRUPTED_EXIT, TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan, Request, plan, prepare
from src.sweep.pool import Options, Pool
from src.sweep.slots import Slot, cpu_slots, gpu_slots
from src.sweep.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from src.sweep.leaderboard import Entry

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
    if settings.dry_run:
        _print_plan(planned, console)
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
    with Table(planned.jobs, console) as table:
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
    entries = _entries(ledger, settings.outputs)
    _publish(entries, folder, settings, console)
    if interrupted:
        console.print("Interrupted. The same command goes on from here.")
        return INTERRUPTED_EXIT
    return 0 if all(TrialFolder(job.folder).state() in GOOD for job in planned.jobs) else 1


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


def _entries(ledger: Ledger, outputs: Path) -> "list[Entry]":
    """The trials of the ledger, each once; of two with the same overrides the later counts."""
    from src.sweep.leaderboard import Entry

    latest = {tuple(line["overrides"]): line["signature"] for line in ledger.lines()}
    entries = []
    for signature, overrides in {signature: overrides for overrides, signature in latest.items()}.items():
        folder = TrialFolder(outputs / "runs" / signature)
        typed = dict(_key_value(text) for text in overrides)
        state = folder.state() or "queued"
        entries.append(Entry(typed, state, folder.metrics(), f"runs/{signature}", _seed(folder, typed)))
    return entries


def _key_value(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+").partition("=")
    return key, value


def _seed(folder: TrialFolder, typed: dict[str, str]) -> int:
    seed = folder.metrics().get("seed", typed.get("seed", 0))
    return int(seed)


def _publish(entries: "list[Entry]", folder: Path, settings: Settings, console: Console) -> None:
    from src.sweep.leaderboard import leaderboard, write
    from src.sweep.picture import draw

    table = leaderboard(entries)
    write(table, folder)
    draw(table, folder / "leaderboard.png")
    _print_leaderboard(table, console)
    _say(console, f"leaderboard: {folder}/leaderboard.csv, .md, .png")
    offline = [entry for entry in entries if any((settings.outputs / entry.run).glob("wandb/offline-run-*"))]
    if offline:
        runs = sorted(entry.run.removeprefix("runs/") for entry in offline)
        several = f"{{{','.join(runs)}}}" if len(runs) > 1 else runs[0]
        line = f"wandb sync {settings.outputs}/runs/{several}/wandb/offline-run-*"
        _say(console, f"to Weights & Biases: {line}")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_leaderboard(table: "pd.DataFrame", console: Console) -> None:
    import pandas as pd

    from src.sweep.leaderboard import cell, summary_columns

    metrics = summary_columns(table)[:2]
    shown = RichTable(title="leaderboard", title_justify="left")
    for column in ("", "trial", "seeds", *metrics, "tied", "state", "time"):
        shown.add_column(column)
    for line in table.to_dict("records"):
        baseline = line["kind"] == "baseline"
        shown.add_row(
            "" if pd.isna(line["rank"]) else str(line["rank"]),
            escape(str(line["name"])),
            "" if baseline else str(line["n_seeds"]),
            *(cell(line, metric) for metric in metrics),
            {True: "yes", False: "no"}.get(line["tied_with_best"], ""),
            "baseline" if baseline else str(line["state"]),
            "" if baseline or pd.isna(line["time_s"]) else f"{line['time_s']:.0f} s",
            style="dim" if baseline else None,
        )
    console.print(shown)


def _print_plan(planned: Plan, console: Console) -> None:
    times = _known_times(planned)
    expected = sum(times) / len(times) if times else None
    table = RichTable(title=f"{len(planned.jobs)} trials", title_justify="left")
    for column in ("signature", "trial", "to do", "why", "expected"):
        table.add_column(column, overflow="fold")
    for job, (action, reason) in zip(planned.jobs, planned.actions, strict=True):
        time = "" if action in ("reuse", "leave") else "unknown" if expected is None else f"{expected:.0f} s"
        table.add_row(job.signature, escape(job.name), action, reason, time)
    console.print(table)


def _known_times(planned: Plan) -> list[float]:
    """Times of finished trials: those planned, else all that lie in the outputs folder."""
    known: list[Any] = [TrialFolder(job.folder).metrics() for job in planned.jobs]
    if not any(known) and planned.jobs:
        for path in (planned.jobs[0].outputs / "runs").glob("*/metrics.json"):
            with suppress(OSError, json.JSONDecodeError):
                known.append(json.loads(path.read_text(encoding="utf-8")))
    return [float(metrics["time"]["total_s"]) for metrics in known if metrics]
