"""Pictures that a trial leaves for a person to look at."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src.metrics.kinds import direction

DPI = 100

BY_CLASS = {
    "f1_by_class": "F1 by class on test",
    "top_n_recall_by_class": "recall by class on test, the number of labels being known",
}
"""Tables of one number a class, and their titles."""


def warm_up() -> None:
    """Let matplotlib find and measure its fonts."""
    figure = Figure(figsize=(1, 1))
    figure.subplots().set_title("0")
    figure.savefig(io.BytesIO())


def learning_curves(rows: Sequence[Mapping[str, Any]], objective: str, path: Path) -> None:
    """Draw the losses, and the objective with its best epoch marked.

    Args:
        rows: `history.csv`'s.
        objective: the column of the objective, e.g. `val/f1_macro`.
        path: the picture to write.
    """
    figure = Figure(figsize=(9, 3.5))
    losses, score = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.15, top=0.9)
    for name in ("train/loss", "val/loss"):
        points = [(row["epoch"] + 1, row[name]) for row in rows if name in row]
        if points:
            losses.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    values = [(row["epoch"] + 1, row[objective]) for row in rows if objective in row]
    if values:
        score.plot(*zip(*values, strict=True), marker="o", markersize=3, color="C2")
        best = {"min": min, "max": max}[direction(objective.rpartition("/")[2])](
            values, key=lambda point: point[1]
        )
        score.plot(*best, marker="*", markersize=14, color="C3", label=f"best: {best[1]:.4f}")
        score.legend()
    if losses.lines:
        losses.legend()
    losses.set(xlabel="epoch", title="loss")
    score.set(xlabel="epoch", title=objective)
    figure.savefig(path, dpi=DPI)


def draw_tables(metrics: Mapping[str, Any], folder: Path) -> None:
    """Draw the tables among the metrics of the test part.

    Args:
        metrics: by name, tables as mappings.
        folder: where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, title in BY_CLASS.items():
        if name in metrics:
            bars_by_class(metrics[name], title, folder / f"{name}.png")
    if metrics.get("right_of_n"):
        right_of_n(metrics["right_of_n"], folder / "right_of_n.png")


def bars_by_class(values: Mapping[str, float], title: str, path: Path) -> None:
    """Draw one bar a class, 0 to 1."""
    height = 1 + 0.3 * len(values)
    figure = Figure(figsize=(7, height))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.25, right=0.98, bottom=0.4 / height, top=1 - 0.4 / height)
    names = list(values)[::-1]
    axes.barh(names, [values[name] for name in names], color="#3b6ea5")
    for row, name in enumerate(names):
        axes.annotate(
            f"{values[name]:.3f}", (values[name], row), (3, 0), textcoords="offset points", va="center"
        )
    axes.set(xlim=(0, 1.1), title=title)
    figure.savefig(path, dpi=DPI)


def right_of_n(shares: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw how many of N labels are right, a bar for each N.

    Args:
        shares: for each N, as a string, the share of the items with exactly k right, by k, as a string.
        path: the picture to write.
    """
    figure = Figure(figsize=(8, 1.4 + 0.4 * len(shares)), layout="constrained")
    axes = figure.subplots()
    for row, (n, by_k) in enumerate(shares.items()):
        left = 0.0
        for k, share in reversed(list(by_k.items())):
            colour = colormaps["RdYlGn"](int(k) / int(n))
            axes.barh(row, share, left=left, color=colour, edgecolor="white")
            if share > 0.04:
                axes.annotate(
                    f"{k}/{n}\n{share:.0%}", (left + share / 2, row), ha="center", va="center", fontsize=8
                )
            left += share
    axes.set_yticks(range(len(shares)), [f"N = {n}" for n in shares])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), title="share of the items with exactly k of their N labels among the N best")
    figure.savefig(path, dpi=DPI)


def timeline(
    probabilities: NDArray[np.float64],
    starts_s: Sequence[float],
    end_s: float,
    names: Sequence[str],
    path: Path,
) -> None:
    """Draw which class sounds when.

    Args:
        probabilities: (windows, classes), 0 to 1.
        starts_s: where each window starts, seconds.
        end_s: where the last window ends, seconds.
        names: of the classes.
        path: the picture to write.
    """
    figure = Figure(figsize=(10, 1.2 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    edges = [*starts_s, max(end_s, starts_s[-1] + 1e-3)]
    mesh = axes.pcolormesh(
        edges, np.arange(len(names) + 1), probabilities.T, vmin=0, vmax=1, cmap="magma", shading="flat"
    )
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    axes.invert_yaxis()
    axes.set_xlabel("time (s)")
    figure.colorbar(mesh, label="probability")
    figure.savefig(path, dpi=DPI)
