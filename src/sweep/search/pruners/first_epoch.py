"""One epoch for all, the best of them to the end."""

from collections.abc import Sequence

from src.sweep.search.pruners.base import Pruner
from src.sweep.search.record import Record


class FirstEpoch(Pruner):
    """All trials do `min_epochs`, and the best of them are trained to the end (Egele et al. 2023, arXiv 2307.15422)."""

    def limits(self, record: Record, others: Sequence[Record]) -> dict[int, float | None]:
        """Return one epoch after which it stops in any case."""
        return {self.min_epochs: None}
