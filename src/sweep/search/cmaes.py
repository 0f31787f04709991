"""CMA-ES without state of its own: for each proposal it is told the finished trials again.

Optuna's sampler keeps its state in the study, where a study that is rebuilt from results has lost it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from src.sweep.search.record import Outcome, Record
from src.sweep.search.space import Axis

if TYPE_CHECKING:
    import numpy as np
    from cmaes import CMA

SIGMA = 1 / 6
"""The first standard deviation, as a share of each axis, as in Optuna."""


def ask(axes: Sequence[Axis], records: Sequence[Record], seed: int) -> list[float]:
    """Return the shares of axes of the next point (Hansen 2016, with the library cmaes).

    The generations are the measured trials, in the order of their proposal. The search begins at the best of those
    known before it, or else in the middle, and there begins again where it has converged.

    Args:
        axes: of numbers, two or more.
        records: of the search.
        seed: of the proposal.

    Returns:
        One for each axis, from 0 to 1.
    """
    import numpy as np

    measured = [record for record in records if record.outcome is Outcome.MEASURED]
    before = [record for record in measured if not record.proposed]
    told = [record for record in measured if record.proposed]
    best = min(before, key=lambda record: record.loss or 0.0, default=None)
    middle = np.full(len(axes), 0.5)
    optimizer = _begin(middle if best is None else _shares(axes, best), seed)
    size = optimizer.population_size
    for first in range(0, len(told) - size + 1, size):
        optimizer.tell([(_shares(axes, each), each.loss or 0.0) for each in told[first : first + size]])
        if optimizer.should_stop():
            optimizer = _begin(middle, seed)
    return list(map(float, optimizer.ask()))


def _begin(mean: "np.ndarray[Any, Any]", seed: int) -> "CMA":
    import numpy as np
    from cmaes import CMA

    return CMA(mean=mean, sigma=SIGMA, bounds=np.tile([0.0, 1.0], (len(mean), 1)), seed=seed)


def _shares(axes: Sequence[Axis], record: Record) -> "np.ndarray[Any, Any]":
    import numpy as np

    return np.array([axis.share(record.point[axis.key]) for axis in axes])
