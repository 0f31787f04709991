"""Prints a sweep's plan, and writes and prints its leaderboard."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from src.messages import dispensable
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.offline_runs import sync_command
from src.sweep.plan import Plan
from src.sweep.settings import Settings
from src.sweep.state import State

if TYPE_CHECKING:
    import pandas as pd

    from src.sweep.rows import Entry, Row


MOST_ROWS = 40
"""Rows of a leaderboard that are printed; its files have all."""


def entries(ledger: Ledger, outputs: Path) -> "list[Entry]":
    """Return the trials of the ledger, each once; of trials with the same overrides the latest one."""
    from src.sweep.rows import Entry

    lines = ledger.lines()
    latest = {tuple(line["overrides"]): line["signature"] for line in lines}
    confirming = {line["signature"] for line in lines if line.get("confirms")}
    found = []
    for signature, overrides in {signature: overrides for overrides, signature in latest.items()}.items():
        folder = TrialFolder(outputs / "runs" / signature)
        typed = dict(_key_value(text) for text in overrides)
        state, metrics = folder.state() or State.QUEUED, folder.metrics()
        seed = int(metrics.get("seed", typed.get("seed", 0)))
        code = str(folder.status().get("code", ""))
        found.append(
            Entry(typed, state, metrics, f"runs/{signature}", seed, code, confirms=signature in confirming)
        )
    return found


def _key_value(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+").partition("=")
    return key, value


def check_reference(planned: Plan, reference: str | None) -> None:
    """Check, before any trial runs, that one configuration has the values of `sweep.reference`.

    Raises:
        UserError: none or several have.
    """
    if reference is None:
        return
    from src.sweep.ranking import find_row

    find_row(_planned_rows(planned), reference)


def _planned_rows(planned: Plan) -> "list[Row]":
    """Return the rows that the leaderboard of a plan will have, still without results."""
    from src.sweep.rows import swept_keys, trial_rows

    trials = [planned_entry(job) for job in planned.jobs]
    return trial_rows(trials, swept_keys(trials))


def planned_entry(job: Job) -> "Entry":
    """Return a trial, still without results."""
    from src.sweep.rows import Entry

    typed = dict(_key_value(text) for text in job.overrides)
    return Entry(typed, State.QUEUED, {}, f"runs/{job.signature}", job.config.get("seed", 0))


def publish(trials: "Sequence[Entry]", folder: Path, settings: Settings, console: Console) -> None:
    """Write the leaderboard as CSV, Markdown and picture, effects and importance of the swept keys, and print them.

    Args:
        trials: of the sweep.
        folder: of the sweep.
        settings: of the sweep.
        console: to print to.
    """
    from src.sweep.importance.table import importance_notes, importance_of, write_importance
    from src.sweep.leaderboard import ranked_rows, table_of
    from src.sweep.picture import draw
    from src.sweep.reporting import code_notes, effects_of, notes_of, ranking_of, write_leaderboard
    from src.sweep.tuning_curves import write_tuning_curves

    ranking = ranking_of(trials, settings)
    rows = ranked_rows(trials, ranking)
    table = table_of(rows, trials)
    # The third metric is what ranks rows where that is not their objective.
    _print_leaderboard(table, 3 if ranking.reorders(rows) else 2, console)
    tried = [row for row in rows if not row.confirms]
    effects = effects_of(tried, ranking)
    importance = None
    with dispensable(folder / "importance.csv"):
        importance = importance_of(trials, rows[0].data if rows else "", settings.axes)
    notes = [
        *code_notes(trials),
        *_race_notes(trials, settings),
        *notes_of(rows, ranking, table, effects),
        *importance_notes(importance),
    ]
    for note in notes:
        _say(console, note)
    try:
        write_leaderboard(table, notes, effects, folder)
        with dispensable(folder / "leaderboard.png"):
            draw(table, folder / "leaderboard.png")
        write_tuning_curves(tried, ranking, folder)
        if importance is not None:
            write_importance(importance, folder)
    except OSError as error:
        _say(
            console,
            f"The leaderboard could not be written to {folder}: {error}. The same command writes it again.",
        )
    else:
        _say(console, f"leaderboard: {folder}/leaderboard.csv, .md, .png")
    command = sync_command(settings.outputs / "runs", [entry.run.removeprefix("runs/") for entry in trials])
    if command:
        _say(console, f"to Weights & Biases: {command}")


def _race_notes(trials: "Sequence[Entry]", settings: Settings) -> list[str]:
    """Return what a race has told, if this is one."""
    if not settings.race or settings.seeds is None:
        return []
    from src.sweep.heats import race_notes

    return race_notes(trials, settings.seed, settings.seeds, settings.matters)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_leaderboard(table: "pd.DataFrame", n_metrics: int, console: Console) -> None:
    from src.sweep.table_text import data_names

    names = data_names(table)
    for number, data in enumerate(names):
        ranked = table["rank"].notna() | (table["kind"] == "baseline")
        unranked = (table["kind"] == "trial") & table["rank"].isna() & (number == 0)
        title = f"leaderboard of test items {data}" if len(names) > 1 else "leaderboard"
        stopped = unranked & table["state"].isin([State.PAUSED, State.PRUNED]) & bool(ranked.any())
        rows = table[(table["test_items"] == data) & ranked | unranked & ~stopped]
        console.print(_rich_table(rows.head(MOST_ROWS), n_metrics, title))
        if len(rows) > MOST_ROWS:
            _say(console, f"… and {len(rows) - MOST_ROWS} more rows in leaderboard.csv")
        for state, count in table.loc[stopped, "state"].value_counts().items():
            _say(console, f"{count} {state}, without figures; they are in leaderboard.csv")


def _rich_table(table: "pd.DataFrame", n_metrics: int, title: str) -> Table:
    import pandas as pd

    from src.sweep.table_text import cell, difference_cell, shown_names, summary_columns, verdict_cell

    metrics = summary_columns(table)[:n_metrics]
    shown = Table(title=title, title_justify="left")
    for column in ("", "trial", "seeds", *metrics, "behind the first", "verdict", "state", "time"):
        shown.add_column(column)
    for name, line in zip(shown_names(table), table.to_dict("records"), strict=True):
        baseline = line["kind"] == "baseline"
        shown.add_row(
            "" if pd.isna(line["rank"]) else str(line["rank"]),
            escape(name),
            "" if baseline else str(line["n_seeds"]),
            *(cell(line, metric) for metric in metrics),
            difference_cell(line),
            verdict_cell(line),
            "baseline" if baseline else str(line["state"]),
            "" if baseline or pd.isna(line["time_s"]) else f"{line['time_s']:.0f} s",
            style="dim" if baseline else None,
        )
    return shown


def print_plan(planned: Plan, console: Console) -> None:
    """Print which trials would run, which are done already, and the expected times."""
    times = _known_times(planned)
    expected = sum(times) / len(times) if times else None
    trials, same = len(planned.jobs), len(planned.signatures) - len(planned.jobs)
    title = f"{trials} trial{'' if trials == 1 else 's'}"
    if same:
        title += f"; {same} more of the configurations are the same as one of them"
    table = Table(title=title, title_justify="left")
    for column in ("signature", "trial", "to do", "why", "expected"):
        table.add_column(column, overflow="fold")
    for job, (action, reason) in zip(planned.jobs, planned.actions, strict=True):
        time = "" if action in ("reuse", "leave") else "unknown" if expected is None else f"{expected:.0f} s"
        table.add_row(job.signature, escape(job.name), action, reason, time)
    console.print(table)
    _say(console, _power_note(planned))


def _power_note(planned: Plan) -> str:
    """Return which differences the planned sweep would find."""
    from src.sweep.comparison.power import smallest_lead

    rows = _planned_rows(planned)
    n_seeds = min((len(row.runs) for row in rows), default=0)
    if len(rows) < 2:
        return "One configuration: there is nothing to compare; sweep a key with several values."
    lead = smallest_lead(len(rows), n_seeds)
    if lead is None:
        return f"{len(rows)} configurations with one seed: no difference can be told from chance; add seed=1,2,3."
    told = (
        f"{len(rows)} configurations, {n_seeds} seeds: leads of {lead:.1f} standard deviations over seeds "
        "are found in 80 % of sweeps"
    )
    deviation = _known_deviation(planned, rows)
    if deviation is None:
        return f"{told}."
    value, metric, of = deviation
    return f"{told}; by the {of} finished trials a deviation is {value:.4f}, so that is {lead * value:.4f} in {metric}."


def _known_deviation(planned: Plan, rows: "Sequence[Row]") -> tuple[float, str, int] | None:
    """Return the pooled deviation over seeds of finished trials of this plan, the metric, and how many there are."""
    import numpy as np

    folders = {f"runs/{job.signature}": TrialFolder(job.folder) for job in planned.jobs}
    squares, freedom, metric, found = 0.0, 0, "", 0
    for row in rows:
        measured = [metrics for run in row.runs if (metrics := folders[run].metrics())]
        if len(measured) < 2:
            continue
        metric = str(measured[0]["objective"]["name"])
        values = np.array([each.get("test", {}).get(metric, each["objective"]["value"]) for each in measured])
        squares += float(np.square(values - values.mean()).sum())
        freedom, found = freedom + len(values) - 1, found + len(values)
    return (float(np.sqrt(squares / freedom)), metric, found) if freedom else None


def _known_times(planned: Plan) -> list[float]:
    """Return the times of finished trials: of those planned, or else of all in the outputs folder."""
    known: list[Any] = [TrialFolder(job.folder).metrics() for job in planned.jobs]
    if not any(known) and planned.jobs:
        for path in (planned.jobs[0].outputs / "runs").glob("*/metrics.json"):
            with suppress(OSError, json.JSONDecodeError):
                known.append(json.loads(path.read_text(encoding="utf-8")))
    return [float(metrics["time"]["total_s"]) for metrics in known if metrics]
