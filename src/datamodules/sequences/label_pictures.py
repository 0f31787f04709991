"""Pictures of labels: how genres are merged, and how numbers are spread."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
from matplotlib import colormaps

from src.datamodules.sequences.merging import merged

_BINS = np.linspace(0, 1, 21)
_KINDS = {"before": "genres", "after": "classes"}


def draw_merging(counts: Mapping[str, int], table: Mapping[str, str | None], path: Path) -> None:
    """Draw how many clips each genre has, and each class that genres are merged to.

    Args:
        counts: clips by genre.
        table: the class of each genre, `None` of those that are dropped.
        path: the picture to write.
    """
    after = merged(counts, table)
    colours: dict[str | None, object] = {name: colormaps["tab20"](n % 20) for n, name in enumerate(after)}
    colours[None] = "lightgrey"
    genres = sorted(counts, key=lambda genre: (table[genre] is None, table[genre] or "", genre))
    figure = matplotlib.figure.Figure(figsize=(11, 1.5 + 0.28 * len(genres)), layout="constrained")
    before_axes, after_axes = figure.subplots(1, 2, sharex=True)
    before_axes.barh(genres, [counts[name] for name in genres], color=[colours[table[g]] for g in genres])
    after_axes.barh(list(after), list(after.values()), color=[colours[name] for name in after])
    for axes, title, bars in ((before_axes, "before", counts), (after_axes, "after", after)):
        axes.invert_yaxis()
        axes.set(xlabel="clips", title=f"{title}: {sum(bars.values())} clips of {len(bars)} {_KINDS[title]}")
    before_axes.set_ylabel("genre (grey: dropped)")
    after_axes.set_ylabel("class")
    figure.savefig(path)


def draw_values(values: Mapping[str, np.ndarray], axes: Sequence[str], path: Path) -> None:
    """Draw how the numbers of each axis are spread in each part.

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
