"""How often the rule of the leaderboard errs on real trials of one configuration.

    python run.py -m experiment=debug seed='range(1,21)' sweep.name=equal
    python benchmarks/verdicts_real.py outputs/sweeps/equal

The trials, which differ in nothing but the seed, are cut at random into configurations of a few seeds each, the best
of these on validation is chosen, and the verdicts on test are counted that call another one worse: all of them are
false.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from src.sweep.comparison.results import Results
from src.sweep.comparison.verdicts import Verdict, judge
from src.sweep.folder import TrialFolder
from src.trial import jackknife

CONFIGURATIONS, SEEDS = 6, 3


def main() -> None:
    """Cut, judge, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", type=Path, help="folder of a sweep of one configuration")
    parser.add_argument("--cuts", type=int, default=200)
    options = parser.parse_args()
    outputs = options.sweep.parent.parent
    table = pd.read_csv(options.sweep / "leaderboard.csv")
    [runs] = table.loc[table["kind"] == "trial", "runs"]
    folders = [outputs / run for run in runs.split()]
    measured = [TrialFolder(folder).metrics() for folder in folders]
    name, higher = measured[0]["objective"]["name"], measured[0]["objective"]["direction"] == "max"
    on_validation = np.array([each["objective"]["value"] for each in measured])
    on_test = np.array([each["test"][name] for each in measured])
    kept = [each for each in jackknife(folders, name) if each is not None]
    assert len(kept) == len(folders), "all trials keep their outputs"
    without = np.array([each.without - each.value + value for each, value in zip(kept, on_test, strict=True)])
    rng, false = np.random.default_rng(0), {"seeds and items": 0, "seeds alone": 0}
    for _ in range(options.cuts):
        cut = rng.permutation(len(folders))[: CONFIGURATIONS * SEEDS].reshape(CONFIGURATIONS, SEEDS)
        means = on_validation[cut].mean(1)
        chosen = int(means.argmax() if higher else means.argmin())
        for level in false:
            items = level == "seeds and items"
            results = [Results(on_test[part], without[part] if items else None) for part in cut]
            judged = judge(results, chosen=chosen, higher_is_better=higher, matters=0.0)
            false[level] += any(each.verdict == Verdict.WORSE for each in judged)
    print(f"{len(folders)} trials, {name} on test {on_test.mean():.4f} ± {on_test.std(ddof=1):.4f}")
    for level, count in false.items():
        print(f"false claims, {level}: {count} of {options.cuts} cuts, {count / options.cuts:.3f}")


if __name__ == "__main__":
    main()
