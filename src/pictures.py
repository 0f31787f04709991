"""Pictures of a trial's results."""

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src.messages import dispensable
from src.metrics.kinds import direction

DPI = 100

MOST_NAMED = 30
"""The counts of a confusion matrix are written into it up to this number of classes."""

BY_CLASS = {
    "f1_by_class": "F1 by class on test",
    "top_n_recall_by_class": "recall by class on test, given the number of labels",
}
"""Tables with one number per class, and their titles."""


def warm_up() -> None:
    """Make matplotlib find and measure its fonts."""
    figure = Figure(figsize=(1, 1))
    figure.subplots().set_title("0")
    figure.savefig(io.BytesIO())


def learning_curves(
    rows: Sequence[Mapping[str, Any]], objective: str, path: Path, overfit: int | None = None
) -> None:
    """Draw the losses, and the objective with its best epoch marked.

    The axis of losses that span more than a factor of 10 is logarithmic.

    Args:
        rows: of `history.csv`.
        objective: its column, e.g. `val/f1_macro`.
        path: of the picture.
        overfit: number of batches that training and validation were restricted to, if any.
    """
    figure = Figure(figsize=(9, 3.5))
    losses, score = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.15, top=0.9)
    epochs = _epochs_done(rows)
    for name in ("train/loss", "val/loss"):
        points = [(done, row[name]) for done, row in zip(epochs, rows, strict=True) if name in row]
        if points:
            losses.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    values = [(done, row[objective]) for done, row in zip(epochs, rows, strict=True) if objective in row]
    if values:
        score.plot(*zip(*values, strict=True), marker="o", markersize=3, color="C2")
        best = {"min": min, "max": max}[direction(objective.rpartition("/")[2])](
            values, key=lambda point: point[1]
        )
        score.plot(*best, marker="*", markersize=14, color="C3", label=f"best: {best[1]:.4f}")
        score.legend()
    if losses.lines:
        losses.legend()
    drawn = [row[name] for row in rows for name in ("train/loss", "val/loss") if name in row]
    if drawn and 0 < 10 * min(drawn) < max(drawn):
        losses.set_yscale("log")
    note = f" of {overfit} batch{'es' if overfit > 1 else ''}, overfitted" if overfit else ""
    losses.set(xlabel="epoch", title=f"loss{note}")
    score.set(xlabel="epoch", title=f"{objective}{note}")
    figure.savefig(path, dpi=DPI)


def _epochs_done(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return for each row how many epochs were done, the validations of an epoch being equally far apart."""
    counts, seen = Counter(row["epoch"] for row in rows), Counter[int]()
    done = []
    for row in rows:
        seen[row["epoch"]] += 1
        done.append(row["epoch"] + seen[row["epoch"]] / counts[row["epoch"]])
    return done


def draw_tables(
    metrics: Mapping[str, Any], folder: Path, intervals: Mapping[str, Sequence[float]] | None = None
) -> None:
    """Draw the tables among the metrics of the test split; a picture that can't be written is left out.

    Args:
        metrics: by name, tables as mappings.
        folder: for the pictures.
        intervals: low and high end by metric, where known; drawn for regression axes.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def draw(name: str, picture: Callable[..., None], *arguments: Any) -> None:
        path = folder / f"{name}.png"
        with dispensable(path):
            picture(*arguments, path)

    for name, title in BY_CLASS.items():
        if name in metrics:
            draw(name, bars_by_class, metrics[name], title)
    if metrics.get("right_of_n"):
        draw("right_of_n", right_of_n, metrics["right_of_n"])
    if "confusion" in metrics:
        draw("confusion", confusion, metrics["confusion"])
        tables = {name: metrics[f"{name}_by_class"] for name in ("precision", "recall")}
        draw("precision_recall_by_class", precision_recall, tables, metrics["confusion"])
    if "label_confusion" in metrics:
        draw("label_confusion", label_confusion, metrics["label_confusion"])
    if "spearman_by_axis" in metrics:
        draw("spearman_by_axis", bars_by_axis, metrics["spearman_by_axis"], intervals or {})


def bars_by_class(values: Mapping[str, float], title: str, path: Path) -> None:
    """Draw one bar per class, 0 to 1."""
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


def precision_recall(
    tables: Mapping[str, Mapping[str, float]], counts: Mapping[str, Mapping[str, int]], path: Path
) -> None:
    """Draw a group of bars per class, 0 to 1.

    Args:
        tables: by metric, values by class.
        counts: see `confusion`; for the number of items of each class.
        path: of the picture.
    """
    names = list(counts)
    figure = Figure(figsize=(7, 1.4 + 0.4 * len(names)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(tables)
    for place, (measured, values) in enumerate(tables.items()):
        rows = np.arange(len(names)) + (place - (len(tables) - 1) / 2) * height
        bars = axes.barh(rows, [values[name] for name in names], height, label=measured)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=7)
    axes.set_yticks(range(len(names)), [f"{name} (n = {sum(counts[name].values())})" for name in names])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.1), title=f"{' and '.join(tables)} by class on test")
    figure.legend(loc="outside lower center", ncols=len(tables))
    figure.savefig(path, dpi=DPI)


def confusion(counts: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """Draw a confusion matrix with counts in cells that are coloured by their share of the row.

    Args:
        counts: number of items by true class, then by predicted class, of which there may be more.
        path: of the picture.
    """
    columns = list(next(iter(counts.values())))
    table = np.array([[row[name] for name in columns] for row in counts.values()])
    shares = table / table.sum(1, keepdims=True).clip(min=1)
    texts = {
        (row, column): f"{table[row, column]}\n{shares[row, column]:.0%}"
        for row, column in zip(*table.nonzero(), strict=True)
    }
    _matrix(shares, texts, list(counts), columns, "confusion on test", path)


def label_confusion(shares: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw what is predicted instead of each missed label.

    Args:
        shares: see `src.metrics.label_confusion.label_confusion`.
        path: of the picture.
    """
    columns = list(next(iter(shares.values())))
    table = np.array([[row[name] for name in columns] for row in shares.values()])
    texts = {place: f"{table[place]:.0%}" for place in zip(*np.nonzero(table >= 0.005), strict=True)}
    _matrix(
        table, texts, list(shares), columns, "found, and answered in place of what is missed, on test", path
    )


def _matrix(
    shares: NDArray[np.float64],
    texts: Mapping[tuple[int, int], str],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    path: Path,
) -> None:
    """Draw shares 0..1 as a matrix, with texts in some of its cells."""
    side = 2.5 + 0.5 * len(rows)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    if len(rows) <= MOST_NAMED:
        for (row, column), text in texts.items():
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.annotate(text, (column, row), ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="answered", ylabel="true", title=title)
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    figure.savefig(path, dpi=DPI)


def bars_by_axis(values: Mapping[str, float], intervals: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw Spearman's correlation of each axis, −1 to 1.

    Args:
        values: by axis.
        intervals: low and high end by `spearman_by_axis/<axis>`, drawn where known.
        path: of the picture.
    """
    figure = Figure(figsize=(7, 1.2 + 0.5 * len(values)), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(values), list(values.values()), color="#3b6ea5")
    for row, (name, value) in enumerate(values.items()):
        low, high = intervals.get(f"spearman_by_axis/{name}", (value, value))
        axes.plot([low, high], [row, row], color="black", linewidth=1.5)
        axes.annotate(f"{value:.3f}", (max(high, 0), row), (5, 0), textcoords="offset points", va="center")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set(xlim=(-1.15, 1.15), title="Spearman's correlation by axis on test")
    figure.savefig(path, dpi=DPI)


def right_of_n(shares: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw how many of N labels are found, a bar for each N.

    Args:
        shares: by N, then by k, both as strings, the share of items of which exactly k labels are found.
        path: of the picture.
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
    """Draw the probabilities of classes over time.

    Args:
        probabilities: (windows, classes), 0 to 1.
        starts_s: start of each window, seconds.
        end_s: end of the last window, seconds.
        names: of the classes.
        path: of the picture.
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
