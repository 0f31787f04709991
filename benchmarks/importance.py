"""How many trials it takes until keys that matter are told from idle ones: reasons of `LEAST` and `LEARNED`.

    python benchmarks/importance.py [--searches 200]

Random searches over four keys: a number that has 60 % of the variance without chance, three choices that have 40 %, an
idle number and four idle choices. `ordered`: share of searches in which both idle keys come last; `PED-ANOVA`: the same
by it. `told`: share in which the forest explains enough to be told. With all variance left to chance, that is an error.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from src.sweep.importance import shares
from src.sweep.importance.shares import LEARNED, shares_of
from src.sweep.search.space import Interval

INTERVALS = {"number": Interval("number", 0, 1), "idle number": Interval("idle number", 0, 1)}
MATTER, IDLE = ("number", "choice"), ("idle number", "idle choice")


def draw(rng: np.random.Generator, n: int, chance: float) -> tuple[list[dict[str, str]], NDArray[np.float64]]:
    """Return the points of a search, and their losses, of variance 1."""
    number, choice = rng.random(n), rng.integers(3, size=n)
    idle, idle_choice = rng.random(n), rng.integers(4, size=n)
    columns = zip(number, choice, idle, idle_choice, strict=True)
    points = [
        {"number": str(a), "choice": f"c{b}", "idle number": str(c), "idle choice": f"c{d}"}
        for a, b, c, d in columns
    ]
    exact = np.square(np.linspace(0, 1, 10_001) - 0.3)
    of_number = (np.square(number - 0.3) - exact.mean()) / exact.std()
    of_choice = (choice - 1) / np.sqrt(2 / 3)
    signal = np.sqrt(0.6) * of_number + np.sqrt(0.4) * of_choice
    return points, np.sqrt(1 - chance) * signal + np.sqrt(chance) * rng.standard_normal(n)


def search(rng: np.random.Generator, n: int, chance: float) -> tuple[bool, bool, bool]:
    """Return whether the idle keys come last by fANOVA and by PED-ANOVA, and whether the forest is told."""
    points, losses = draw(rng, n, chance)
    found = {
        share.keys[0]: share for share in shares_of(points, losses.tolist(), [*MATTER, *IDLE], INTERVALS)[:4]
    }

    def ordered(method: str) -> bool:
        values = {key: getattr(share, method) for key, share in found.items()}
        return max(values[key] for key in IDLE) < min(values[key] for key in MATTER)

    return ordered("fanova"), ordered("ped_anova"), found["number"].explained >= LEARNED


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=200)
    options = parser.parse_args()
    shares.LEAST = 0  # figures of any number of trials
    print(f"{'chance':>6} {'trials':>6} {'ordered':>8} {'PED-ANOVA':>9} {'told':>6}")
    for chance in (0.1, 0.5, 1.0):
        for n in (15, 20, 30, 50, 100):
            rng = np.random.default_rng(n)
            fanova, ped, told = np.mean([search(rng, n, chance) for _ in range(options.searches)], 0)
            print(f"{chance:6.1f} {n:6d} {fanova:8.2f} {ped:9.2f} {told:6.2f}", flush=True)


if __name__ == "__main__":
    main()
