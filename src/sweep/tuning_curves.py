"""`tuning_curves.csv` and `.png`: what trying more configurations is worth, by optimizer."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from src.fingerprint import write_text
from src.messages import dispensable
from src.spreadsheets import safe_csv
from src.sweep.comparison.tuning import curve_band, tuning_curve
from src.sweep.ranking import Ranking
from src.sweep.rows import Row

KEY = "optimizer"
"""The swept key whose values have a curve each; without it there is one curve."""

LEAST = 3
"""Configurations that a curve needs."""


def tuning_curves(rows: Sequence[Row], ranking: Ranking) -> pd.DataFrame:
    """Return, by optimizer, the expected test result of the best of n configurations on validation.

    Args:
        rows: of the same test items.
        ranking: of the rows.

    Returns:
        Columns `curve`, `n`, `expected`, `low`, `high` (a 95 % bootstrap band over the configurations); empty where no
        optimizer has at least `LEAST` configurations.
    """
    curves: dict[str, list[Row]] = {}
    for row in rows:
        if row.values.get(ranking.metric) and row.values.get(ranking.objective):
            curves.setdefault(row.swept.get(KEY, "all"), []).append(row)
    higher = ranking.direction == "max"
    points = []
    for name, members in curves.items():
        if len(members) < LEAST:
            continue
        results = (
            [row.mean(ranking.objective) for row in members],
            [row.mean(ranking.metric) for row in members],
        )
        expected = tuning_curve(*results, higher_is_better=higher)
        bands = zip(*curve_band(*results, higher_is_better=higher), strict=True)
        for n, (value, (low, high)) in enumerate(zip(expected, bands, strict=True), start=1):
            points.append({"curve": name, "n": n, "expected": value, "low": low, "high": high})
    return pd.DataFrame(points, columns=["curve", "n", "expected", "low", "high"])


def write_tuning_curves(rows: Sequence[Row], ranking: Ranking, folder: Path) -> None:
    """Write and draw the curves, if there are any.

    Args:
        rows: ranked; of several data, those of the first are taken.
        ranking: of the rows.
        folder: of the sweep.
    """
    points = tuning_curves([row for row in rows if row.data == rows[0].data], ranking)
    if not len(points):
        return
    write_text(folder / "tuning_curves.csv", safe_csv(points))
    picture = folder / "tuning_curves.png"
    with dispensable(picture):
        _draw(points, ranking.metric, picture)


def _draw(points: pd.DataFrame, metric: str, path: Path) -> None:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, curve in points.groupby("curve", sort=False):
        axes.plot(curve["n"], curve["expected"], marker="o", label=str(name))
        axes.fill_between(curve["n"], curve["low"], curve["high"], alpha=0.2)
    axes.set_xlabel("configurations tried")
    axes.set_ylabel(f"expected {metric} on test of the best on validation")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
