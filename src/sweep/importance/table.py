"""`importance.csv`, `importance.png`, and what is said of them beneath the leaderboard."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from src.fingerprint import write_text
from src.messages import dispensable
from src.processes import call
from src.spreadsheets import safe_csv
from src.sweep.importance.shares import LEARNED, LEAST, Share, shares_of
from src.sweep.rows import Entry, data_of, objective_of, swept_keys
from src.sweep.search.record import Outcome, outcome_of
from src.sweep.search.space import Axis, Interval, Point, name
from src.sweep.state import State

MOST_DRAWN = 20
"""Keys and pairs of keys in the picture, and MOST_TOLD in the sentence; the table has all."""

MOST_TOLD = 3

WORTH_TELLING = 0.05
"""The least share that is told."""


@dataclass(frozen=True)
class Importance:
    """What a sweep says of its keys.

    Attributes:
        objective: `val_…`, whose variance is shared out.
        shares: of single keys and of pairs, the largest first.
        n_trials: finished trials that all of it rests on.
        left_out: how many trials ended otherwise, by state, or were tested on other items.
        of_key: how many of those have a key.
    """

    objective: str
    shares: Sequence[Share]
    n_trials: int
    left_out: Counter[str]
    of_key: Counter[str]


def importance_of(trials: Sequence[Entry], data: str, axes: Sequence[Axis]) -> Importance | None:
    """Return the importance of the swept keys for the objective on validation.

    `None` of fewer than two keys, and where no trial has an objective.

    Args:
        trials: of the sweep. Those that confirm a search's best are passed over: they are no sample of its space.
        data: what identifies the items that the trials were tested on; trials of other items are left out.
        axes: of a search.
    """
    tried = [entry for entry in trials if not entry.confirms]
    keys = swept_keys(tried)
    if len(keys) < 2:
        return None
    measured, left_out, of_key = [], Counter[str](), Counter[str]()
    for entry in tried:
        outcome, loss = outcome_of(entry.state, entry.metrics)
        point = {key: entry.overrides[key] for key in keys if key in entry.overrides}
        if loss is not None and data_of(entry) == data:
            measured.append((point, loss))
            continue
        left_out[_reason(entry, outcome)] += 1
        of_key.update(point.keys())
    if not measured:
        return None
    points, losses = [point for point, _ in measured], [loss for _, loss in measured]
    intervals = {name(axis): axis for axis in axes if isinstance(axis, Interval)}
    shares = _shares(points, losses, keys, intervals)
    return Importance(objective_of(trials)[0], sorted(shares, key=_place), len(points), left_out, of_key)


def _reason(entry: Entry, outcome: Outcome) -> str:
    if outcome is Outcome.MEASURED:
        return "of other test items"
    if entry.state == State.FINISHED:
        return "without an objective"
    return "diverged" if outcome is Outcome.DIVERGED else str(entry.state)


def _shares(points: Sequence[Point], *arguments: Any) -> list[Share]:
    """Return the shares; where there is something to compute, from a child process that has the heavy imports."""
    if len(points) < LEAST:
        return shares_of(points, *arguments)
    return call(shares_of, points, *arguments)


def _place(share: Share) -> tuple[int, float]:
    return len(share.keys), -1.0 if share.fanova is None else -share.fanova


def importance_table(importance: Importance) -> pd.DataFrame:
    """Return the table of the contract, single keys first."""
    return pd.DataFrame(
        {
            "key": " × ".join(share.keys),
            "ped_anova": share.ped_anova,
            "fanova": share.fanova,
            "interaction": len(share.keys) > 1,
            "n_trials": share.n_trials,
            "n_left_out": importance.of_key[share.keys[0]] if len(share.keys) == 1 else None,
            "explained": share.explained,
            "note": share.note,
        }
        for share in importance.shares
    ).astype({"n_left_out": "Int64"})


def importance_notes(importance: Importance | None) -> list[str]:
    """Return a sentence on the keys that matter most; none where the trials do not tell."""
    if importance is None:
        return []
    told = [share for share in importance.shares if not share.note and (share.fanova or 0) >= WORTH_TELLING]
    if not told:
        return []
    shown = sorted(told, key=lambda share: -(share.fanova or 0))[:MOST_TOLD]
    out = ", ".join(f"{count} {what}" for what, count in importance.left_out.items())
    return [
        f"Variance of {importance.objective} over the space (importance.csv), by {importance.n_trials} finished "
        f"trials{f' (left out: {out})' if out else ''}: "
        + ", ".join(_told(share, importance.n_trials) for share in shown)
        + "."
    ]


def _told(share: Share, n_trials: int) -> str:
    names = " with ".join(share.keys)
    where = "" if share.n_trials == n_trials else f" of the {share.n_trials} trials that have it"
    return f"{names} {share.fanova:.0%}{where}"


def write_importance(importance: Importance, folder: Path) -> None:
    """Write and draw the importance of a sweep's keys; the picture only where there are figures.

    Args:
        importance: of the keys.
        folder: of the sweep.
    """
    write_text(folder / "importance.csv", safe_csv(importance_table(importance)))
    shares = [share for share in importance.shares if share.fanova is not None][:MOST_DRAWN]
    if shares:
        picture = folder / "importance.png"
        with dispensable(picture):
            _draw(shares, importance, picture)


def _draw(shares: Sequence[Share], importance: Importance, path: Path) -> None:
    figure = Figure(figsize=(7, 1.6 + 0.45 * len(shares)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(shares))
    for values, label, offset in (
        ([share.fanova or 0.0 for share in shares], "fANOVA: of the variance over the space", -0.2),
        ([share.ped_anova or 0.0 for share in shares], "PED-ANOVA: of being among the best", 0.2),
    ):
        bars = axes.barh(rows + offset, values, 0.4, label=label)
        axes.bar_label(bars, [f"{value:.2f}" if value else "" for value in values], padding=3, fontsize=7)
    axes.set_yticks(rows, [_label(share).replace("$", r"\$") for share in shares])
    axes.invert_yaxis()
    chance = max(share.explained or 0.0 for share in shares) < LEARNED
    axes.set(xlim=(0, 1.1), xlabel="share" + ("; the trials do not tell it from chance" if chance else ""))
    axes.set_title(f"what decides {importance.objective}", fontsize="medium", loc="left")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    figure.savefig(path, dpi=110)


def _label(share: Share) -> str:
    return f"{' × '.join(share.keys)} (n = {share.n_trials})"
