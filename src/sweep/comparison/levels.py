"""The nominal level of the intervals, calibrated so that the true one is at most 5 %."""

from collections.abc import Mapping

import numpy as np

LEVEL = 0.05
"""Share of the sweeps in which an interval may miss its difference."""

SEEDS = (2, 3, 5, 10)
CALIBRATED: Mapping[int, tuple[float, ...]] = {
    2: (0.05, 0.05, 0.05, 0.05),
    60: (0.05, 0.05, 0.05, 0.05),
}


def nominal_level(n_configurations: int, n_seeds: float) -> float:
    """Return the level at which intervals are computed.

    Args:
        n_configurations: K, >= 2.
        n_seeds: of each, or their mean.
    """
    sizes = list(CALIBRATED)
    by_size = [np.interp(np.log(n_seeds), np.log(SEEDS), CALIBRATED[size]) for size in sizes]
    return float(np.interp(np.log(n_configurations), np.log(sizes), by_size))
