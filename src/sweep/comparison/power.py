"""Power before the run: which leads a sweep of a given size would find."""

import functools

import numpy as np
from scipy import optimize, stats

from src.sweep.comparison.results import Results, estimate_errors
from src.sweep.comparison.verdicts import critical_value

POWER = 0.8
"""Share of the sweeps in which the lead is found."""

_SWEEPS = 100
_DRAWS = 1000


@functools.lru_cache
def smallest_lead(n_configurations: int, n_seeds: int) -> float | None:
    """Return the smallest lead of one configuration over another that is found in 80 % of sweeps.

    Simulated with normal noise of the same deviation for all configurations, without the choice of test items.

    Args:
        n_configurations: K, >= 2.
        n_seeds: of each.

    Returns:
        In standard deviations over seeds; `None` with one seed, where no lead is found.
    """
    if n_seeds < 2:
        return None
    rng = np.random.default_rng(0)
    half_widths = []
    for sweep in range(_SWEEPS):
        noise = rng.standard_normal((n_configurations, n_seeds))
        errors = estimate_errors([Results(row) for row in noise], n_draws=_DRAWS, seed=sweep)
        assert errors is not None
        half_widths.append(critical_value(errors) * np.sqrt(np.median(errors.variance())))
    deviation = np.sqrt(
        2 / n_seeds
    )  # of a difference between two means, which does not depend on the half width

    def missing(lead: float) -> float:
        return float(stats.norm.cdf((lead - np.array(half_widths)) / deviation).mean()) - POWER

    return float(optimize.brentq(missing, 0.0, max(half_widths) + 3 * deviation))
