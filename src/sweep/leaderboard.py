"""The table of a sweep: one row per configuration, grouped over seeds, and one per baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from src.sweep.ranking import Ranking
from src.sweep.rows import Entry, Row, baseline_rows, judged_name, objective_of, swept_keys, trial_rows

JUDGED = ("verdict", "behind", "behind_low", "behind_high", "p_best", "more_seeds", "more_items")
"""Columns of the verdict."""


def leaderboard(entries: Sequence[Entry], ranking: Ranking | None = None) -> pd.DataFrame:
    """Build the table.

    The objective is measured on validation (`val_<name>_…`), the metrics after it on test. Ranks follow the
    mean of the objective, verdicts the differences on test; rows without a finished trial come last.

    Args:
        entries: one per trial.
        ranking: how rows are ranked and judged; `None`: by what the trials say of their objective.

    Returns:
        The columns of the contract.

    Raises:
        UserError: see `Ranking.rank`.
    """
    return table_of(ranked_rows(entries, ranking or Ranking(*objective_of(entries))), entries)


def ranked_rows(entries: Sequence[Entry], ranking: Ranking) -> list[Row]:
    """Return the rows of the trials, those of the same data together, by rank.

    Where a search has confirmed its best configurations, these alone have ranks and verdicts; all that it tried comes
    after them, by what it found.
    """
    rows = trial_rows(entries, swept_keys(entries))
    confirmed = [row for row in rows if row.confirms and row.values.get(ranking.objective)]
    ranking.rank(confirmed or rows, rows)
    found = {tuple(row.swept.items()): row for row in rows if not row.confirms}
    for row in confirmed:
        searched = found.get(tuple(row.swept.items()))
        known = searched is not None and bool(searched.values.get(ranking.objective))
        row.searched = searched.mean(ranking.objective) if searched and known else None
    data = list(dict.fromkeys(row.data for row in rows if row.rank is not None))

    def place(row: Row) -> tuple[bool, int, float]:
        if row.rank is not None:
            return False, data.index(row.data), row.rank
        return True, 0, ranking.loss(row)

    return sorted(rows, key=place)


def table_of(rows: Sequence[Row], entries: Sequence[Entry]) -> pd.DataFrame:
    """Return the table of ranked rows, and of the baselines of the trials after them."""
    keys, (objective, _) = swept_keys(entries), objective_of(entries)
    baselines = baseline_rows(entries, keys)
    metrics = _metric_names([*rows, *baselines], objective)
    lines = [_line(row, keys, metrics) for row in [*rows, *baselines]]
    if any(row.confirms for row in rows):
        for line, row in zip(lines, [*rows, *baselines], strict=True):
            line |= {"confirms": row.confirms, "searched": row.searched}
    table = pd.DataFrame(lines)
    return table.astype({"rank": "Int64", "n_seeds": "Int64", "more_seeds": "Int64"})


def _metric_names(rows: Sequence[Row], objective: str) -> list[str]:
    names = dict.fromkeys([objective, objective.removeprefix("val_"), judged_name(objective)])
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
        line[f"{metric}_mean"] = row.mean(metric) if values else None
        line[f"{metric}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
        low, high = row.intervals.get(metric, (None, None)) if len(values) == 1 else (None, None)
        line[f"{metric}_low"], line[f"{metric}_high"] = low, high
    line |= _judged(row)
    line["edge"] = " ".join(row.edges)
    line["test_items"] = row.data
    line["state"] = row.state
    line["epochs"] = _mean(row.epochs) if row.epochs else None
    line["time_s"] = round(_mean(row.times), 2) if row.times else None
    line["runs"] = " ".join(row.runs)
    return line


def _judged(row: Row) -> Mapping[str, Any]:
    judged = row.judgement
    if judged is None:
        return dict.fromkeys(JUDGED)
    return {
        "verdict": str(judged.verdict),
        "behind": judged.behind,
        "behind_low": judged.low,
        "behind_high": judged.high,
        "p_best": judged.p_best,
        "more_seeds": judged.more_seeds,
        "more_items": judged.more_items,
    }


def _mean(values: Sequence[float]) -> float:
    return float(sum(values) / len(values))
