"""How often other packages' comparisons are wrong on the sweeps of `benchmarks/verdicts.py`, and which leads they find.

    pip install deepsig rliable "pandas<3"
    python benchmarks/verdict_peers.py [--configurations 6] [--seeds 3] [--sweeps 200]

Both are used as their authors advise. Almost stochastic order (Dror et al. 2019; deepsig, Ulmer et al. 2022): one
configuration is called better where ε_min is below .2, with Bonferroni's correction for all the others. rliable
(Agarwal et al. 2021): two are called different where their 95 % stratified bootstrap intervals of the mean do not
overlap. The environment of this project need not have them.
"""

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.verdicts import CASES, Case

Floats = NDArray[np.float64]
RESAMPLES = 200
"""Of both packages; their own defaults are 1000 and 50,000, which take hours."""

TAU = 0.2
LEADS = (2.0, 3.0, 4.0, 4.5, 5.0, 6.0, 8.0, 10.0)

Better = Callable[[Floats, Floats, int], bool]
"""Whether the first scores (S,) are called better than the second, one of so many comparisons."""


def by_order(first: Floats, second: Floats, comparisons: int) -> bool:
    """Almost stochastic order."""
    from deepsig import aso

    found = aso(
        first,
        second,
        num_comparisons=comparisons,
        num_samples=RESAMPLES,
        num_bootstrap_iterations=RESAMPLES,
        show_progress=False,
        seed=0,
    )
    return float(found) < TAU


def by_intervals(first: Floats, second: Floats, _comparisons: int) -> bool:
    """Rliable's intervals, which do not depend on the number of comparisons."""
    from rliable import library, metrics

    scores = {"first": first[:, None], "second": second[:, None]}
    _, intervals = library.get_interval_estimates(
        scores, lambda runs: np.array([metrics.aggregate_mean(runs)]), reps=RESAMPLES
    )
    return bool(intervals["first"][0] > intervals["second"][1])


RULES: dict[str, Better] = {"ASO": by_order, "rliable": by_intervals}


def false_claims(case: Case, better: Better, k: int, n_seeds: int, sweeps: int) -> float:
    """Return the share of sweeps of equal configurations in which the best is called better than another one."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(sweeps):
        values = np.array([each.values for each in case.sweep(k, n_seeds, rng)])
        order = values.mean(1).argsort()
        wrong += any(better(values[order[-1]], values[other], k - 1) for other in order[:-1])
    return wrong / sweeps


def found(better: Better, k: int, n_seeds: int, lead: float, sweeps: int) -> float:
    """Return the share of sweeps with equal deviations in which a configuration with a lead is called better."""
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((sweeps, 2, n_seeds))
    return float(np.mean([better(first + lead, second, k - 1) for first, second in draws]))


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configurations", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=200)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    size = options.configurations, options.seeds
    for name, better in RULES.items():
        for case in CASES[:3]:
            share = false_claims(case, better, *size, options.sweeps)
            print(f"{name:10}{case.name:30} false claims {share:.3f}", flush=True)
        for lead in LEADS:
            share = found(better, *size, lead, options.sweeps // 2)
            print(f"{name:10}lead of {lead:4.1f} deviations found in {share:.2f}", flush=True)
            if share >= 0.8:
                break


if __name__ == "__main__":
    main()
