"""Hyperband, asynchronously."""

import math
from collections.abc import Sequence
from itertools import accumulate

from src.sweep.search.pruners.asha import MOST_EPOCHS, Asha
from src.sweep.search.record import Record

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


class Hyperband(Asha):
    """Several brackets of successive halving, each with a later first rung (Li et al. 2018), asynchronously.

    Brackets take turns in the proportion in which Hyperband begins configurations in them (by multiples of the golden
    ratio, which are spread evenly); the first one has all rungs, the last one none. Until a trial has told how many
    epochs it has, there is one bracket.
    """

    def _rungs_of(self, record: Record, epochs: int) -> list[int]:
        bracket = self._bracket(record, epochs)
        return list(self._spread(self.min_epochs * self.reduction_factor**bracket, epochs))

    def _group(self, record: Record, others: Sequence[Record]) -> tuple[int, ...]:
        """Return the bracket, and the epochs that it is one of."""
        epochs = (
            record.curve.epochs or max((other.curve.epochs for other in others), default=0) or MOST_EPOCHS
        )
        return self._bracket(record, epochs), epochs

    def _belongs(self, record: Record, group: tuple[int, ...]) -> bool:
        """Whether it is of the bracket, or was not proposed."""
        bracket, epochs = group
        return record.number < 0 or self._bracket(record, epochs) == bracket

    def _bracket(self, record: Record, epochs: int) -> int:
        if record.number < 0 or epochs >= MOST_EPOCHS:
            return 0
        ends = self._ends(epochs)
        place = record.number * _GOLDEN_RATIO % 1 * ends[-1]
        return next(bracket for bracket, end in enumerate(ends) if place < end)

    def _ends(self, epochs: int) -> list[int]:
        """Return the cumulative numbers of configurations that each bracket begins in one round of Hyperband."""
        last = len(self.rungs(epochs))
        numbers = [
            math.ceil((last + 1) / (last - bracket + 1) * self.reduction_factor ** (last - bracket))
            for bracket in range(last + 1)
        ]
        return list(accumulate(numbers))
