"""The nominal level of the intervals, calibrated so that the true one is at most 5 %."""

import numpy as np

LEVEL = 0.05
"""Share of the sweeps in which an interval may miss its difference."""

SEEDS = (2, 3, 5, 10)
"""Numbers of seeds of the columns of `CALIBRATED`."""

CALIBRATED = {
    2: (0.018, 0.033, 0.037, 0.042),
    3: (0.023, 0.026, 0.038, 0.042),
    4: (0.024, 0.025, 0.042, 0.045),
    6: (0.027, 0.028, 0.040, 0.045),
    10: (0.036, 0.032, 0.042, 0.042),
    18: (0.045, 0.042, 0.042, 0.038),
}
"""By number of configurations, for each number of seeds: a nominal level whose true one is at most about 5 % in the
worst of three cases, equal deviations over seeds and a third of them 2.5 or 5 times as large. `benchmarks/verdicts.py
--calibrate` estimates it; some values are lower than its estimate, and those of 10 configurations and three seeds or
more are interpolated. More configurations take the values of the last row."""


def nominal_level(n_configurations: int, n_seeds: float) -> float:
    """Return the level at which intervals are computed.

    Args:
        n_configurations: K, >= 2.
        n_seeds: of each, or their mean.
    """
    sizes = list(CALIBRATED)
    by_size = [np.interp(np.log(n_seeds), np.log(SEEDS), CALIBRATED[size]) for size in sizes]
    return float(np.interp(np.log(n_configurations), np.log(sizes), by_size))
