"""The nominal level of the intervals, calibrated so that the true one is at most 5 %."""

import numpy as np

LEVEL = 0.05
"""Share of the sweeps in which an interval may miss its difference."""

SEEDS = (2, 3, 5, 10)
"""Numbers of seeds of the columns of `CALIBRATED`."""

CALIBRATED = {
    2: (0.016, 0.035, 0.043, 0.045),
    3: (0.015, 0.036, 0.037, 0.038),
    4: (0.026, 0.024, 0.042, 0.050),
    6: (0.030, 0.042, 0.038, 0.050),
    10: (0.034, 0.031, 0.050, 0.049),
    18: (0.050, 0.038, 0.045, 0.050),
}
"""By number of configurations, for each number of seeds: the nominal level whose true one is 4.7 % in the worst of
three cases, equal deviations over seeds and a third of them 2.5 or 5 times as large, as `benchmarks/verdicts.py
--calibrate --sweeps 2000` printed it. More configurations take the values of the last row."""


def nominal_level(n_configurations: int, n_seeds: float) -> float:
    """Return the level at which intervals are computed.

    Args:
        n_configurations: K, >= 2.
        n_seeds: of each, or their mean.
    """
    sizes = list(CALIBRATED)
    by_size = [np.interp(np.log(n_seeds), np.log(SEEDS), CALIBRATED[size]) for size in sizes]
    return float(np.interp(np.log(n_configurations), np.log(sizes), by_size))
