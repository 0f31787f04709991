"""Prints a sweep's plan, and writes and prints its leaderboard."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from src.sweep.folder import TrialFolder
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan
from src.sweep.state import State

if TYPE_CHECKING:
    import pandas as pd

    from src.sweep.leaderboard import Entry


def entries(ledger: Ledger, outputs: Path) -> "list[Entry]":
    """Return the trials of the ledger, each once; of trials with the same overrides the latest one."""
    from src.sweep.leaderboard import Entry

    latest = {tuple(line["overrides"]): line["signature"] for line in ledger.lines()}
    found = []
    for signature, overrides in {signature: overrides for overrides, signature in latest.items()}.items():
        folder = TrialFolder(outputs / "runs" / signature)
        typed = dict(_key_value(text) for text in overrides)
        state = folder.state() or State.QUEUED
        found.append(Entry(typed, state, folder.metrics(), f"runs/{signature}", _seed(folder, typed)))
    return found


def _key_value(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+").partition("=")
    return key, value


def _seed(folder: TrialFolder, typed: dict[str, str]) -> int:
    seed = folder.metrics().get("seed", typed.get("seed", 0))
    return int(seed)


def publish(trials: "Sequence[Entry]", folder: Path, outputs: Path, console: Console) -> None:
    """Write the leaderboard as CSV, Markdown and picture, and print it.

    Args:
        trials: of the sweep.
        folder: of the sweep.
        outputs: folder of all outputs.
        console: to print to.
    """
    from src.sweep.leaderboard import leaderboard, write
    from src.sweep.picture import draw

    table = leaderboard(trials)
    write(table, folder)
    draw(table, folder / "leaderboard.png")
    _print_leaderboard(table, console)
    _say(console, f"leaderboard: {folder}/leaderboard.csv, .md, .png")
    offline = [entry for entry in trials if any((outputs / entry.run).glob("wandb/offline-run-*"))]
    if offline:
        runs = sorted(entry.run.removeprefix("runs/") for entry in offline)
        several = f"{{{','.join(runs)}}}" if len(runs) > 1 else runs[0]
        line = f"wandb sync {outputs}/runs/{several}/wandb/offline-run-*"
        _say(console, f"to Weights & Biases: {line}")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_leaderboard(table: "pd.DataFrame", console: Console) -> None:
    import pandas as pd

    from src.sweep.leaderboard import cell, shown_names, summary_columns

    metrics = summary_columns(table)[:2]
    shown = Table(title="leaderboard", title_justify="left")
    for column in ("", "trial", "seeds", *metrics, "tied", "state", "time"):
        shown.add_column(column)
    for name, line in zip(shown_names(table), table.to_dict("records"), strict=True):
        baseline = line["kind"] == "baseline"
        shown.add_row(
            "" if pd.isna(line["rank"]) else str(line["rank"]),
            escape(name),
            "" if baseline else str(line["n_seeds"]),
            *(cell(line, metric) for metric in metrics),
            {True: "yes", False: "no"}.get(line["tied_with_best"], ""),
            "baseline" if baseline else str(line["state"]),
            "" if baseline or pd.isna(line["time_s"]) else f"{line['time_s']:.0f} s",
            style="dim" if baseline else None,
        )
    console.print(shown)


def print_plan(planned: Plan, console: Console) -> None:
    """Print which trials would run, which are done already, and the expected times."""
    times = _known_times(planned)
    expected = sum(times) / len(times) if times else None
    table = Table(title=f"{len(planned.jobs)} trials", title_justify="left")
    for column in ("signature", "trial", "to do", "why", "expected"):
        table.add_column(column, overflow="fold")
    for job, (action, reason) in zip(planned.jobs, planned.actions, strict=True):
        time = "" if action in ("reuse", "leave") else "unknown" if expected is None else f"{expected:.0f} s"
        table.add_row(job.signature, escape(job.name), action, reason, time)
    console.print(table)


def _known_times(planned: Plan) -> list[float]:
    """Return the times of finished trials: of those planned, or else of all in the outputs folder."""
    known: list[Any] = [TrialFolder(job.folder).metrics() for job in planned.jobs]
    if not any(known) and planned.jobs:
        for path in (planned.jobs[0].outputs / "runs").glob("*/metrics.json"):
            with suppress(OSError, json.JSONDecodeError):
                known.append(json.loads(path.read_text(encoding="utf-8")))
    return [float(metrics["time"]["total_s"]) for metrics in known if metrics]
