"""`leaderboard.csv` and `.md`: one row per configuration, grouped over seeds, and one per baseline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from src.fingerprint import write_text
from src.sweep.state import State
from src.sweep.statistics import tied_with_best

UNNAMED = ("seed", "outputs", "mode", "sweep.name", "dry_run", "retry", "reuse", "timeout")
"""Keys that are no part of a configuration's name; seeds are averaged over."""


@dataclass
class Entry:
    """One trial of the leaderboard.

    Args:
        overrides: `{key: value}` as typed.
        state: from `status.json`, or `queued`.
        metrics: content of `metrics.json`, empty if there is none.
        run: the trial's folder, relative to the outputs folder.
        seed: of the training.
    """

    overrides: Mapping[str, str]
    state: State
    metrics: Mapping[str, Any]
    run: str
    seed: int = 0


@dataclass
class Row:
    """A row of the table before formatting; `values` holds, by metric, the value of each seed."""

    kind: str
    name: str
    swept: Mapping[str, str]
    state: str = ""
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    epochs: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    rank: int | None = None
    tied: bool | None = None


def leaderboard(entries: Sequence[Entry]) -> pd.DataFrame:
    """Build the table.

    The objective is measured on validation (`val_<name>_…`), the metrics after it on test. Ranks follow the
    mean of the objective; rows without a finished trial come last.

    Args:
        entries: one per trial.

    Returns:
        The columns of the contract: `rank`, `kind`, `name`, the swept keys, `n_seeds`, `<metric>_mean`,
        `<metric>_std`, `<metric>_low`, `<metric>_high`, `tied_with_best`, `state`, `epochs`, `time_s`, `runs`.
    """
    keys = swept_keys(entries)
    rows = _trial_rows(entries, keys)
    objective, direction = _objective(entries)
    _rank(rows, objective, direction)
    baselines = _baseline_rows(entries, keys)
    metrics = _metric_names([*rows, *baselines], objective)
    ordered = sorted(rows, key=lambda row: (row.rank is None, row.rank or 0))
    table = pd.DataFrame([_line(row, keys, metrics) for row in [*ordered, *baselines]])
    return table.astype({"rank": "Int64", "n_seeds": "Int64"})


def swept_keys(entries: Sequence[Entry]) -> list[str]:
    """Return the keys other than the seed whose values differ between trials, in the order of typing."""
    typed = list(dict.fromkeys(key for entry in entries for key in entry.overrides))
    differing = [key for key in typed if len({entry.overrides.get(key) for entry in entries}) > 1]
    return [key for key in differing if key not in UNNAMED]


def write(table: pd.DataFrame, folder: Path) -> None:
    """Write `leaderboard.csv` and `leaderboard.md` into a sweep's folder."""
    write_text(folder / "leaderboard.csv", table.to_csv(index=False))
    write_text(folder / "leaderboard.md", markdown(table))


def summary_columns(table: pd.DataFrame) -> list[str]:
    """Return the metrics for narrow tables: the objective, the same metric on test, and the next two."""
    names = [column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")]
    return names[:4]


def cell(line: Mapping[Any, Any], metric: str) -> str:
    """Format a metric: `0.953 ± 0.004` over seeds, `0.953 [0.941, 0.962]` for one seed, empty without a value."""
    mean, std = line[f"{metric}_mean"], line[f"{metric}_std"]
    if pd.isna(mean):
        return ""
    if not pd.isna(std):
        return f"{mean:.4f} ± {std:.4f}"
    low, high = line.get(f"{metric}_low"), line.get(f"{metric}_high")
    return f"{mean:.4f}" if low is None or pd.isna(low) else f"{mean:.4f} [{low:.3f}, {high:.3f}]"


def shown_names(table: pd.DataFrame) -> list[str]:
    """Return the names of rows for display; baselines of the same name get the options that distinguish them."""
    columns = list(table.columns)
    keys = columns[columns.index("name") + 1 : columns.index("n_seeds")]
    baselines = table["kind"] == "baseline"
    several = table["name"].where(baselines).duplicated(keep=False) & baselines
    return [
        _with_keys(line, keys) if more else str(line["name"])
        for line, more in zip(table.to_dict("records"), several, strict=True)
    ]


def _with_keys(line: Mapping[Any, Any], keys: Sequence[str]) -> str:
    shared = ", ".join(f"{key.removeprefix('data.')}={line[key]}" for key in keys if line[key] != "")
    return f"{line['name']} ({shared})" if shared else str(line["name"])


def markdown(table: pd.DataFrame) -> str:
    """Return the leaderboard as a Markdown table with an explanatory note."""
    metrics = summary_columns(table)
    columns = ["rank", "name", "seeds", *metrics, "tied with best", "state", "time (s)"]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for name, line in zip(shown_names(table), table.to_dict("records"), strict=True):
        cells = [
            "" if pd.isna(line["rank"]) else str(int(line["rank"])),
            f"*{name}*" if line["kind"] == "baseline" else name,
            "" if pd.isna(line["n_seeds"]) else str(int(line["n_seeds"])),
            *(cell(line, metric) for metric in metrics),
            {True: "yes", False: "no"}.get(line["tied_with_best"], ""),
            str(line["state"]),
            "" if pd.isna(line["time_s"]) else f"{line['time_s']:.1f}",
        ]
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |")
    return "\n".join([*lines, "", _NOTE, ""])


_NOTE = (
    "Ranked by the objective on validation (`val_…`); the other metrics on test. "
    "Over several seeds: mean ± standard deviation, and 'tied with best' where a paired t-test over seeds, "
    "Holm-corrected, does not tell a configuration from the best at α = .05. "
    "With one seed: a 95 % bootstrap interval over the items; differences are not claimed. "
    "*Baselines* are measured on the same items."
)


def _trial_rows(entries: Sequence[Entry], keys: Sequence[str]) -> list[Row]:
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(entry.overrides.get(key, "") for key in keys), []).append(entry)
    return [_trial_row(members, dict(zip(keys, group, strict=True))) for group, members in groups.items()]


def _trial_row(members: Sequence[Entry], swept: Mapping[str, str]) -> Row:
    row = Row("trial", _name(members[0], swept), swept, _states(members))
    for entry in members:
        row.runs.append(entry.run)
        if not entry.state.good or not entry.metrics:
            continue
        objective = entry.metrics["objective"]
        named = {f"val_{objective['name']}": objective["value"], **_scalars(entry.metrics.get("test", {}))}
        for name, value in named.items():
            row.values.setdefault(name, {})[entry.seed] = float(value)
        row.epochs.append(float(entry.metrics["time"].get("epochs", 0)))
        row.times.append(float(entry.metrics["time"].get("total_s", 0)))
        row.intervals = {
            name: (low, high) for name, (low, high) in entry.metrics.get("intervals", {}).items()
        }
    return row


def _name(entry: Entry, swept: Mapping[str, str]) -> str:
    if swept:
        return ", ".join(
            value if "." not in key else f"{key}={value}" for key, value in swept.items() if value
        )
    return ", ".join(f"{k}={v}" for k, v in entry.overrides.items() if k not in UNNAMED) or "defaults"


def _states(members: Sequence[Entry]) -> str:
    counts = Counter(entry.state for entry in members)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def _objective(entries: Sequence[Entry]) -> tuple[str, str]:
    for entry in entries:
        if "objective" in entry.metrics:
            return f"val_{entry.metrics['objective']['name']}", entry.metrics["objective"]["direction"]
    return "val_objective", "max"


def _rank(rows: Sequence[Row], objective: str, direction: str) -> None:
    sign = -1 if direction == "max" else 1
    scored = [row for row in rows if row.values.get(objective)]
    scored.sort(key=lambda row: sign * _mean(row.values[objective].values()))
    for number, row in enumerate(scored, start=1):
        row.rank = number
    if scored:
        for row, tied in zip(scored, tied_with_best([r.values[objective] for r in scored], 0), strict=True):
            row.tied = tied


def _baseline_rows(entries: Sequence[Entry], keys: Sequence[str]) -> list[Row]:
    """Group equal baselines into one row, named by the options that their trials share: they depend on data only."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        for name, values in entry.metrics.get("baselines", {}).items():
            groups.setdefault((name, repr(sorted(_scalars(values).items()))), []).append(entry)
    rows = []
    for (name, _), members in groups.items():
        shared = {
            key: members[0].overrides.get(key, "")
            for key in keys
            if len({entry.overrides.get(key) for entry in members}) == 1
        }
        row = Row("baseline", name, shared)
        scores = _scalars(members[0].metrics["baselines"][name])
        row.values = {metric: {0: float(value)} for metric, value in scores.items() if metric != "threshold"}
        rows.append(row)
    return rows


def _metric_names(rows: Sequence[Row], objective: str) -> list[str]:
    names = dict.fromkeys([objective, objective.removeprefix("val_")])
    names.update(dict.fromkeys(name for row in rows if row.kind == "trial" for name in row.values))
    known = {name for row in rows for name in row.values}
    return [name for name in names if name in known or name == objective]


def _line(row: Row, keys: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
    seeds = max((len(values) for values in row.values.values()), default=0)
    line: dict[str, Any] = {"rank": row.rank, "kind": row.kind, "name": row.name}
    line |= {key: row.swept.get(key, "") for key in keys}
    line["n_seeds"] = seeds if row.kind == "trial" else None
    # Over several seeds a metric has a standard deviation, with one seed the bootstrap interval of its trial.
    for metric in metrics:
        values = list(row.values.get(metric, {}).values())
        line[f"{metric}_mean"] = _mean(values) if values else None
        line[f"{metric}_std"] = float(pd.Series(values).std(ddof=1)) if len(values) > 1 else None
        low, high = row.intervals.get(metric, (None, None)) if len(values) == 1 else (None, None)
        line[f"{metric}_low"], line[f"{metric}_high"] = low, high
    line["tied_with_best"] = row.tied if seeds > 1 else None
    line["state"] = row.state
    line["epochs"] = _mean(row.epochs) if row.epochs else None
    line["time_s"] = round(_mean(row.times), 2) if row.times else None
    line["runs"] = " ".join(row.runs)
    return line


def _mean(values: Any) -> float:
    listed = list(values)
    return float(sum(listed) / len(listed))
