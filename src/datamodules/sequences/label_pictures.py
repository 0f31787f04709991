"""Pictures of labels: how genres are merged, and how numbers are distributed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
from matplotlib import colormaps

from src.datamodules.sequences.merging import merged

_BINS = np.linspace(0, 1, 21)
_KINDS = {"before": "genres", "after": "classes"}


def draw_merging(counts: Mapping[str, int], table: Mapping[str, str | None], path: Path) -> None:
    """Draw the number of clips of each genre, and of each class that genres are merged into.

    Args:
        counts: number of clips by genre.
        table: the class of each genre, `None` for those that are dropped.
        path: the picture to write.
    """
    after = merged(counts, table)
    # A class and the genres merged into it have one colour; dropped genres are grey.
    palette = colormaps["tab20"]
    colours: dict[str | None, object] = {name: palette(number % 20) for number, name in enumerate(after)}
    colours[None] = "lightgrey"
    # Genres in the order of their classes, so that colours are together; dropped genres last.
    genres = sorted(counts, key=lambda genre: (table[genre] is None, table[genre] or "", genre))
    figure = matplotlib.figure.Figure(figsize=(11, 1.5 + 0.28 * len(genres)), layout="constrained")
    before_axes, after_axes = figure.subplots(1, 2, sharex=True)
    # Bars of genres on the left, of classes on the right, on one scale.
    of_genres = [colours[table[genre]] for genre in genres]
    before_axes.barh(genres, [counts[genre] for genre in genres], color=of_genres)
    after_axes.barh(list(after), list(after.values()), color=[colours[name] for name in after])
    for axes, title, bars in ((before_axes, "before", counts), (after_axes, "after", after)):
        axes.invert_yaxis()  # the first bar at the top
        axes.set(xlabel="clips", title=f"{title}: {sum(bars.values())} clips of {len(bars)} {_KINDS[title]}")
    before_axes.set_ylabel("genre (grey: dropped)")
    after_axes.set_ylabel("class")
    figure.savefig(path)


def draw_values(values: Mapping[str, np.ndarray], axes: Sequence[str], path: Path) -> None:
    """Draw the distribution of the numbers of each axis in each split.

    Args:
        values: (n, n_axes), 0..1, by split.
        axes: their names.
        path: the picture to write.
    """
    figure = matplotlib.figure.Figure(figsize=(4.5 * len(axes), 3.5), layout="constrained")
    for number, (name, plot) in enumerate(
        zip(axes, figure.subplots(1, len(axes), squeeze=False)[0], strict=True)
    ):
        for split, of_split in values.items():
            plot.hist(of_split[:, number], _BINS, density=True, histtype="step", label=split)
        plot.set(xlabel=name, ylabel="density of the clips", xlim=(0, 1))
        plot.legend()
    figure.savefig(path)
