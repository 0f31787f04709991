"""Curves of a metric against one swept option."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure

from src.errors import UserError


def curve(table: pd.DataFrame, key: str, metric: str) -> pd.DataFrame:
    """Return a metric as a function of an option.

    Args:
        table: a leaderboard, as read from `leaderboard.csv`.
        key: a swept option, with numbers or lists as values; lists count by their length.
        metric: a column of the leaderboard without `_mean`.

    Returns:
        Columns `x`, `mean`, `std` and `n`, ordered by x. For an x with one row, its mean and standard deviation over
        `n` seeds; with several rows, the mean and standard deviation over the means of these `n` rows. The standard
        deviation of one seed is NaN.

    Raises:
        UserError: the option was not swept or has values of another type, or there is no such metric.
    """
    trials = table[table["kind"] == "trial"]
    columns = list(table.columns)
    swept = columns[columns.index("name") + 1 : columns.index("n_seeds")]
    if key not in swept:
        choices = ", ".join(swept) or "the keys of a sweep with several values"
        raise UserError(f"{key} was not swept; choose one of {choices}")
    if f"{metric}_mean" not in trials:
        known = [column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")]
        raise UserError(f"there is no metric {metric}; choose one of {', '.join(known)}")
    rows = trials.assign(x=[_size(str(value), key) for value in trials[key]])
    points = []
    for x, at_x in rows.groupby("x"):
        means = at_x[f"{metric}_mean"].dropna()
        if len(at_x) == 1:
            std, n = at_x[f"{metric}_std"].iloc[0], at_x["n_seeds"].iloc[0]
        else:
            std, n = means.std(), len(means)
        points.append({"x": x, "mean": means.mean(), "std": std, "n": n})
    return pd.DataFrame(points)


def draw_curve(curves: dict[str, pd.DataFrame], label: str, metric: str, path: Path) -> None:
    """Draw curves with error bars.

    Args:
        curves: by name, from `curve`.
        label: of the x axis, the option.
        metric: label of the y axis.
        path: of the picture.
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


def _size(text: str, key: str) -> float:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{key}={text} cannot be read") from error
    if isinstance(value, list):
        return len(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UserError(f"{key}={text} is neither a number nor a list")
    return value
