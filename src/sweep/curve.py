"""A metric against one swept option: how much does more of it help?"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure

from src.errors import UserError


def curve(table: pd.DataFrame, key: str, metric: str) -> pd.DataFrame:
    """Give a metric by the value of an option.

    Args:
        table: a leaderboard, as read from `leaderboard.csv`.
        key: a swept option, of numbers or lists; of a list its length counts.
        metric: a column of the leaderboard without `_mean`.

    Returns:
        `x`, `mean`, `std` and `n`, in order of x. Where one row has this x, its mean and deviation over seeds; where
        several have, the mean and deviation of theirs, and `n` rows. The deviation of one seed is NaN.

    Raises:
        UserError: the option was not swept or has other values, or there is no such metric.
    """
    trials = table[table["kind"] == "trial"]
    columns = list(table.columns)
    swept = columns[columns.index("name") + 1 : columns.index("n_seeds")]
    if key not in swept:
        raise UserError(f"{key} was not swept; choose of {', '.join(swept) or 'a sweep with several values'}")
    if f"{metric}_mean" not in trials:
        known = [column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")]
        raise UserError(f"there is no metric {metric}; choose of {', '.join(known)}")
    rows = trials.assign(x=[_size(str(value), key) for value in trials[key]])
    points = []
    for x, some in rows.groupby("x"):
        means = some[f"{metric}_mean"].dropna()
        if len(some) == 1:
            std, n = some[f"{metric}_std"].iloc[0], some["n_seeds"].iloc[0]
        else:
            std, n = means.std(), len(means)
        points.append({"x": x, "mean": means.mean(), "std": std, "n": n})
    return pd.DataFrame(points)


def draw_curve(curves: dict[str, pd.DataFrame], label: str, metric: str, path: Path) -> None:
    """Draw curves with their deviations.

    Args:
        curves: by name, as `curve` gives them.
        label: of the axis of the option.
        metric: label of the other.
        path: the picture to write.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        axes.errorbar(
            points["x"], points["mean"], points["std"].fillna(0.0), marker="o", capsize=3, label=name
        )
    axes.set_xlabel(label)
    axes.set_ylabel(metric)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def _size(typed: str, key: str) -> float:
    try:
        value = yaml.safe_load(typed)
    except yaml.YAMLError as error:
        raise UserError(f"{key}={typed} cannot be read") from error
    if isinstance(value, list):
        return len(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UserError(f"{key}={typed} is neither a number nor a list")
    return value
