"""The interface of pruners.

Losses are the least so far of a training. All rules depend on the records alone, so that a search that goes on after an
interruption decides as it would have without.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from src.sweep.search.record import Record
from src.sweep.state import StopReason


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
