"""Whether the rungs of a pruner say anything about the end of a training."""

import math
from collections.abc import Sequence

from src.sweep.search.pruners.base import Pruner
from src.sweep.search.record import Outcome, Record

MOST_TOLD = 6
"""Rungs of which the correlation is told."""

LEAST_TRIALS = 8
"""Finished trials without which no correlation is told: its standard error is about 1 / √(n − 1), here .38."""

LOW = 0.5
"""Rank correlation below which a rung is warned of."""


def rung_notes(records: Sequence[Record], pruner: Pruner) -> list[str]:
    """Return what to say of the rungs.

    Args:
        records: of the search.
        pruner: whose rungs they are.
    """
    finished = [record for record in records if record.outcome is Outcome.MEASURED and record.curve.losses]
    epochs = max((record.curve.epochs for record in finished), default=0)
    rungs = pruner.rungs(epochs)
    if finished and not rungs:
        return [
            f"pruner: min_epochs={pruner.min_epochs} is not below the {epochs} epochs of a trial, so none was stopped."
        ]
    if len(finished) < LEAST_TRIALS:
        return []
    known = rank_correlations(finished, rungs)
    told = {rung: known[rung] for rung in _some(rungs)}
    values = ", ".join(f"{value:.2f} after {rung}" for rung, value in told.items())
    notes = [
        f"pruner: rank correlation with the end, over {len(finished)} finished trials, by epochs: {values}"
    ]
    if low := [str(rung) for rung, value in told.items() if not value >= LOW]:
        notes.append(
            f"pruner: the order after {', '.join(low)} epochs says little about the end (warming up the learning rate "
            "does that); raise min_epochs, or choose pruner=none."
        )
    return notes


def rank_correlations(finished: Sequence[Record], rungs: Sequence[int]) -> dict[int, float]:
    """Return how well the order of losses after some epochs agrees with that at the end.

    Args:
        finished: records with a loss.
        rungs: the numbers of epochs.

    Returns:
        By number of epochs Spearman's rank correlation, NaN where all losses are equal.
    """
    from scipy.stats import spearmanr

    ends = [record.loss for record in finished]
    found = {}
    for rung in rungs:
        losses = [record.at(rung) for record in finished]
        equal = len(set(losses)) < 2 or len(set(ends)) < 2
        found[rung] = math.nan if equal else float(spearmanr(losses, ends).statistic)
    return found


def _some(rungs: Sequence[int]) -> list[int]:
    """Return some of many rungs, spread evenly, the first and the last among them."""
    if len(rungs) <= MOST_TOLD:
        return list(rungs)
    step = (len(rungs) - 1) / (MOST_TOLD - 1)
    return [rungs[round(number * step)] for number in range(MOST_TOLD)]
