"""The importance of each swept key, and of each two, by both methods, over the trials that have them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from src.sweep.importance.forest import Forest, fit
from src.sweep.importance.ped_anova import ped_anova
from src.sweep.importance.scales import scale_of
from src.sweep.search.space import Interval

LEAST = 30
"""Trials without which no number is given.

Of a random search over four keys, two of them idle, with a tenth of the variance left to chance, 30 trials are the
fewest of which a forest puts the idle keys last in nineteen of twenty searches: `python benchmarks/importance.py`.
"""

LEARNED = 0.25
"""Share of the variance of other trials that a forest has to explain for its shares to be told.

From 30 trials on, one that is fitted to nothing but chance explains as much in fewer than one of twenty sweeps.
"""


@dataclass(frozen=True)
class Share:
    """What is known of a key, or of two keys.

    Attributes:
        keys: one or two.
        n_trials: finished trials that have them; the figures are of these.
        ped_anova: share 0..1 of the keys' importance for being among the best trials; of single keys only.
        fanova: share 0..1 of the variance over the space; of two keys beyond what each explains alone.
        explained: share of the variance of other trials that the forest explains, see `Forest`.
        note: why there are no figures, or why they are not to be relied on.
    """

    keys: tuple[str, ...]
    n_trials: int
    ped_anova: float | None = None
    fanova: float | None = None
    explained: float | None = None
    note: str = ""


def shares_of(
    points: Sequence[Mapping[str, str]],
    losses: Sequence[float],
    keys: Sequence[str],
    intervals: Mapping[str, Interval],
) -> list[Share]:
    """Return the shares of all keys and of each two of them that some trial has.

    A key that only some trials have is measured over these, and so are two keys over the trials that have both.

    Args:
        points: of the finished trials, by key the value as typed.
        losses: of the trials, less is better.
        keys: that were swept.
        intervals: of a search, by key.
    """
    groups = [*((key,) for key in keys), *itertools.combinations(keys, 2)]
    members = {group: _having(points, group) for group in groups}
    found = {group: _counted(group, members[group]) for group in groups if members[group]}
    told = [group for group in found if not found[group].note]
    if not told:
        return list(found.values())
    forests: dict[tuple[int, ...], tuple[list[str], Forest | None]] = {}
    with threadpool_limits(1):  # many small products, which threads only slow down
        for group in told:
            rows = members[group]
            if rows not in forests:
                forests[rows] = _forest(
                    [points[row] for row in rows], [losses[row] for row in rows], intervals
                )
            found[group] = _measured(found[group], *forests[rows])
    best = _ped_anova(points, losses, [group[0] for group in told if len(group) == 1], intervals)
    return [
        replace(share, ped_anova=best.get(share.keys[0])) if len(share.keys) == 1 and group in told else share
        for group, share in found.items()
    ]


def _having(points: Sequence[Mapping[str, str]], keys: Iterable[str]) -> tuple[int, ...]:
    return tuple(row for row, point in enumerate(points) if all(key in point for key in keys))


def _counted(keys: tuple[str, ...], rows: Sequence[int]) -> Share:
    few = f"too few trials: {len(rows)} of at least {LEAST}" if len(rows) < LEAST else ""
    return Share(keys, len(rows), note=few)


def _forest(
    points: Sequence[Mapping[str, str]], losses: Sequence[float], intervals: Mapping[str, Interval]
) -> tuple[list[str], Forest | None]:
    """Return the keys that all of these trials have, and a forest over them."""
    keys = [key for key in points[0] if all(key in point for point in points)]
    scales = [scale_of([point[key] for point in points], intervals.get(key)) for key in keys]
    columns = [
        [scale.positions[point[key]] for point in points] for key, scale in zip(keys, scales, strict=True)
    ]
    return keys, fit(np.array(columns).T, np.array(losses), [scale.places for scale in scales])


def _measured(share: Share, keys: Sequence[str], forest: Forest | None) -> Share:
    if forest is None:
        return replace(share, note=f"the objective is the same in all {share.n_trials} trials")
    columns = sorted(keys.index(key) for key in share.keys)
    value = forest.single[columns[0]] if len(columns) == 1 else forest.paired[columns[0], columns[1]]
    weak = f"a forest explains less than {LEARNED:.0%} of other trials' variance: this may be chance"
    note = weak if forest.explained < LEARNED else ""
    return replace(share, fanova=value, explained=forest.explained, note=note)


def _ped_anova(
    points: Sequence[Mapping[str, str]],
    losses: Sequence[float],
    keys: Sequence[str],
    intervals: Mapping[str, Interval],
) -> dict[str, float]:
    """Return PED-ANOVA's shares of those of the keys that have several values."""
    scales = {
        key: scale_of([point[key] for point in points if key in point], intervals.get(key)) for key in keys
    }
    varied = {key: scale for key, scale in scales.items() if scale.varies}
    return ped_anova([{k: v for k, v in point.items() if k in varied} for point in points], losses, varied)
