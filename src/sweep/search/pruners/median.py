"""The median rule."""

import math
from collections.abc import Sequence
from statistics import median

from src.sweep.search.pruners.base import Pruner
from src.sweep.search.record import Outcome, Record
from src.sweep.state import StopReason

N_STARTUP = 5
"""Finished trials from which on trials are compared, as in Optuna."""


class Median(Pruner):
    """Stops a trial whose least loss is above the median of the finished ones after as many epochs.

    Golovin et al. 2017 (Google Vizier); the reference is Optuna's `MedianPruner` with its defaults, given the least
    loss so far. Stopped trials do not go on.
    """

    reason = StopReason.PRUNED

    def limits(self, record: Record, others: Sequence[Record]) -> dict[int, float | None]:
        """Return the medians; none before five trials have finished."""
        finished = [other for other in others if other.outcome is Outcome.MEASURED]
        if len(finished) < N_STARTUP:
            return {}
        last = max(other.curve.epochs for other in finished)
        found: dict[int, float | None] = {}
        for epoch in range(self.min_epochs, last):
            known = [loss for other in finished if (loss := other.at(epoch)) is not None]
            found[epoch] = median(known) if known else math.inf
        return found

    def rungs(self, epochs: int) -> list[int]:
        """Return all epochs but the last."""
        return list(range(self.min_epochs, epochs))
