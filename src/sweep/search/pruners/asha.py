"""Asynchronous successive halving."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from src.sweep.search.pruners.base import Pruner
from src.sweep.search.record import Outcome, Record

MOST_EPOCHS = 100_000
"""Epochs beyond which no rung is set, where the number of epochs is not known."""


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


def _losses(records: Sequence[Record], rung: int) -> list[float]:
    """Return the losses of those that have come to a rung, sorted."""
    return sorted(loss for record in records if (loss := record.at(rung)) is not None)
