"""The pruners of a search: after which epochs a trial stops, and which of the paused ones goes on.

Losses are the least so far of a training. All rules depend on the records alone, so that a search that goes on after an
interruption decides as it would have without.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from statistics import median

from src.sweep.search.record import Outcome, Record
from src.sweep.state import StopReason

MOST_EPOCHS = 100_000
"""Epochs beyond which no rung is set, where the number of epochs is not known."""

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

N_STARTUP = 5
"""Finished trials from which on `median` compares, as in Optuna."""


class Pruner(ABC):
    """Says after which epochs a trial stops.

    Args:
        min_epochs: that each trial has done before it may be stopped.
    """

    reason = StopReason.BUDGET

    def __init__(self, min_epochs: int) -> None:
        self.min_epochs = min_epochs

    @abstractmethod
    def limits(self, record: Record, others: Sequence[Record]) -> dict[int, float | None]:
        """Return where a trial stops, see `src.sweep.limits.Limits`.

        Epochs that it has done are among them: it may not have compared yet when the sweep hears of the last one.

        Args:
            record: of the trial.
            others: what else is known.
        """

    def promoted(self, records: Sequence[Record]) -> Record | None:
        """Return the paused trial that goes on first, `None` where none does."""
        return None

    def rungs(self, epochs: int) -> list[int]:
        """Return the numbers of epochs after which trials are compared.

        Args:
            epochs: of a whole training.
        """
        return [self.min_epochs] if self.min_epochs < epochs else []


class FirstEpoch(Pruner):
    """All trials do `min_epochs`, and the best of them are trained to the end (Egele et al. 2023, arXiv 2307.15422)."""

    def limits(self, record: Record, others: Sequence[Record]) -> dict[int, float | None]:
        """Return one epoch after which it stops in any case."""
        return {self.min_epochs: None}


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


class Asha(Pruner):
    """Asynchronous successive halving (Li et al. 2020, algorithm 2).

    Trials pause at rungs of `min_epochs`, η `min_epochs`, η² `min_epochs` … epochs. Whenever there is room, the best
    of the best 1/η at a rung goes on to the next one, from its checkpoint; one that arrives among them does not pause.

    Args:
        min_epochs: of the first rung.
        reduction_factor: η.
    """

    def __init__(self, min_epochs: int, reduction_factor: int) -> None:
        super().__init__(min_epochs)
        self.reduction_factor = reduction_factor

    def limits(self, record: Record, others: Sequence[Record]) -> dict[int, float | None]:
        """Return, for each rung, the loss of the last one that would go on; none where nobody would."""
        epochs = record.curve.epochs or max((other.curve.epochs for other in others), default=0)
        group = self._group(record, others)
        rivals = [other for other in others if other is not record and self._belongs(other, group)]
        rungs = self._rungs_of(record, epochs or MOST_EPOCHS)
        return {rung: self._limit(_losses(rivals, rung)) for rung in rungs}

    def promoted(self, records: Sequence[Record]) -> Record | None:
        """Return the best of those at the highest rung from which one may go on."""
        candidates = []
        known: dict[tuple[int, ...], list[float]] = {}  # sorted losses, by rung and group
        for record in records:
            if record.outcome is not Outcome.PAUSED:
                continue
            rung = self._rung(record)
            loss = record.reached if rung is None else record.at(rung)
            if loss is None or (rung is not None and not self._goes_on(record, records, rung, loss, known)):
                continue
            candidates.append((-(rung or 0), loss, record.number, record))
        return min(candidates, key=lambda each: each[:3])[-1] if candidates else None

    def rungs(self, epochs: int) -> list[int]:
        """Return the rungs below the end of a training."""
        return list(self._spread(self.min_epochs, epochs))

    def _rungs_of(self, record: Record, epochs: int) -> list[int]:
        """Return the rungs at which a trial may pause."""
        return self.rungs(epochs)

    def _group(self, record: Record, others: Sequence[Record]) -> tuple[int, ...]:
        """Return what trials have in common that are compared."""
        return ()

    def _belongs(self, record: Record, group: tuple[int, ...]) -> bool:
        """Whether a trial is compared with those of a group."""
        return True

    def _rung(self, record: Record) -> int | None:
        """Return the rung at which a trial pauses."""
        passed = [rung for rung in self._rungs_of(record, record.curve.epochs) if rung <= record.curve.done]
        return passed[-1] if passed else None

    def _goes_on(
        self,
        record: Record,
        records: Sequence[Record],
        rung: int,
        loss: float,
        known: dict[tuple[int, ...], list[float]],
    ) -> bool:
        """Whether a trial with a loss is among the best 1/η at a rung; losses there are sorted once for its group."""
        group = self._group(record, records)
        key = (rung, *group)
        if key not in known:
            known[key] = _losses([each for each in records if self._belongs(each, group)], rung)
        own = bisect_left(known[key], loss)
        limit = self._limit([*known[key][:own], *known[key][own + 1 :]])
        return limit is not None and loss <= limit

    def _limit(self, losses: Sequence[float]) -> float | None:
        """Return up to which loss another trial would be among the best 1/η at a rung, `None` where none would be.

        Args:
            losses: of its rivals there, sorted.
        """
        n_best = (len(losses) + 1) // self.reduction_factor
        return losses[n_best - 1] if n_best else None

    def _spread(self, first: int, epochs: int) -> Iterator[int]:
        while first < epochs:
            yield first
            first *= self.reduction_factor


class Hyperband(Asha):
    """Several brackets of successive halving, each with a later first rung (Li et al. 2018), asynchronously.

    Brackets take turns in the proportion in which Hyperband begins configurations in them (by multiples of the golden
    ratio, which are spread evenly); the first one has all rungs, the last one none. Until a trial has told how many
    epochs it has, there is one bracket.
    """

    def rungs(self, epochs: int) -> list[int]:
        """Return the rungs of the first bracket."""
        return list(self._spread(self.min_epochs, epochs))

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


def _losses(records: Sequence[Record], rung: int) -> list[float]:
    """Return the losses of those that have come to a rung, sorted."""
    return sorted(loss for record in records if (loss := record.at(rung)) is not None)


def pruner(name: str, min_epochs: int, reduction_factor: int) -> Pruner | None:
    """Return a pruner, `None` for `none`.

    Args:
        name: `none`, `median`, `asha`, `hyperband` or `first_epoch`.
        min_epochs: that each trial has done before it may be stopped.
        reduction_factor: of `asha` and `hyperband`.
    """
    match name:
        case "median":
            return Median(min_epochs)
        case "asha":
            return Asha(min_epochs, reduction_factor)
        case "hyperband":
            return Hyperband(min_epochs, reduction_factor)
        case "first_epoch":
            return FirstEpoch(min_epochs)
    return None
