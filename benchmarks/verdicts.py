"""How often verdicts are wrong, and which leads they find: simulated sweeps of configurations.

    python benchmarks/verdicts.py [--sweeps 1000] [--case WORDS] [--configurations K …] [--ours] [--calibrate]

A false claim is a sweep of equal configurations of which at least one is called worse. Each sweep takes the best on
test as the chosen one: the worst case of a choice on validation, where both splits agree entirely. The lead found is
how many standard deviations over seeds one configuration must lead the others by, so that another one is called worse
in 80 % of sweeps. Beside the rule of the leaderboard stand others on the same draws: a paired t-test with Holm's
correction (the rule of earlier versions), Welch's t-test with Holm's, Games and Howell's, Tukey's range.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from src.sweep.comparison.levels import SEEDS
from src.sweep.comparison.results import Results, estimate_errors
from src.sweep.comparison.verdicts import critical_value, largest_errors

Floats = NDArray[np.float64]
LEADS = np.arange(0.5, 40, 0.1)
LEVELS = np.array([0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05])
SIZES = (2, 6, 18, 60)
DRAWS = 1000
CALIBRATED = (2, 3, 4, 6, 10, 18, 60)
TARGET = 0.045


@dataclass(frozen=True)
class Case:
    """What simulated configurations are like.

    Attributes:
        ratio: how many times as large as the others' the deviation over seeds of the last third is.
        step: that values are rounded to, in deviations; 0: not at all.
        groups: number of groups of 10 test items that share an error of their own, in which configurations differ; 0:
            values come without items.
    """

    name: str
    ratio: float = 1.0
    step: float = 0.0
    groups: int = 0

    def sweep(self, n_configurations: int, n_seeds: int, rng: np.random.Generator) -> list[Results]:
        """Return the results of equal configurations."""
        deviations = np.ones(n_configurations)
        deviations[n_configurations - max(1, n_configurations // 3) :] = self.ratio
        values = rng.standard_normal((n_configurations, n_seeds)) * deviations[:, None]
        if not self.groups:
            rounded = np.round(values / self.step) * self.step if self.step else values
            return [Results(row) for row in rounded]
        # Each configuration errs by group as much as by seed; the errors of single items are small beside that.
        shared = rng.standard_normal((n_configurations, self.groups)) * np.sqrt(self.groups)
        of_items = (
            values[:, :, None]
            + shared[:, None]
            + rng.standard_normal((n_configurations, n_seeds, self.groups))
        )
        means = of_items.mean(2)
        without = (of_items.sum(2, keepdims=True) - of_items) / (self.groups - 1)
        return [Results(mean, blocks) for mean, blocks in zip(means, without, strict=True)]


CASES = (
    Case("equal deviations"),
    Case("a third 2.5 times as noisy", ratio=2.5),
    Case("a third 5 times as noisy", ratio=5.0),
    Case("steps of 2 deviations", step=2.0),
    Case("40 groups of test items", groups=40),
)

Rule = Callable[[list[Results], int], Floats]
"""Maps results and the chosen one to how much each must be behind it to be called worse, (K,); inf: never."""


def ours(results: list[Results], chosen: int, seed: int = 0) -> Floats:
    """The rule of the leaderboard."""
    errors = estimate_errors(results, n_draws=DRAWS, seed=seed)
    if errors is None:
        return np.full(len(results), np.inf)
    return critical_value(errors) * np.sqrt(errors.variance()[chosen])


def _moments(results: list[Results]) -> tuple[Floats, Floats, int]:
    values = np.array([each.values for each in results])
    n_seeds = values.shape[1]
    return values, values.var(1, ddof=1) if n_seeds > 1 else np.zeros(len(values)), n_seeds


def tukey(results: list[Results], _chosen: int) -> Floats:
    """Tukey's range with a pooled variance."""
    values, variances, n_seeds = _moments(results)
    k = len(values)
    range_ = _range_quantile(k, k * (n_seeds - 1))
    return np.full(k, range_ * np.sqrt(variances.mean() / n_seeds))


def games_howell(results: list[Results], chosen: int) -> Floats:
    """Games and Howell's, with each pair's own variance and degrees of freedom."""
    values, variances, n_seeds = _moments(results)
    summed = variances + variances[chosen]
    freedom = (n_seeds - 1) * summed**2 / np.maximum(variances**2 + variances[chosen] ** 2, 1e-300)
    quantiles = np.array(
        [_range_quantile(len(values), round(float(df), 1)) for df in np.maximum(freedom, 1.0)]
    )
    return quantiles * np.sqrt(summed / 2 / n_seeds)


def _pairwise(test: Callable[..., Floats]) -> Rule:
    """Return a rule of t-tests against the chosen one with Holm's correction, at its first step."""

    def rule(results: list[Results], chosen: int) -> Floats:
        values, _, _ = _moments(results)
        return test(values, chosen, 0.05 / (len(values) - 1))

    return rule


def _paired(values: Floats, chosen: int, level: float) -> Floats:
    n_seeds = values.shape[1]
    deviation = (values[chosen] - values).std(1, ddof=1) / np.sqrt(n_seeds)
    return np.asarray(stats.t.ppf(1 - level / 2, n_seeds - 1) * deviation)


def _welch(values: Floats, chosen: int, level: float) -> Floats:
    n_seeds, variances = values.shape[1], values.var(1, ddof=1)
    summed = variances + variances[chosen]
    freedom = (n_seeds - 1) * summed**2 / np.maximum(variances**2 + variances[chosen] ** 2, 1e-300)
    return np.asarray(stats.t.ppf(1 - level / 2, np.maximum(freedom, 1)) * np.sqrt(summed / n_seeds))


_QUANTILES: dict[tuple[int, float], float] = {}


def _range_quantile(k: int, freedom: float) -> float:
    key = (k, freedom if freedom < 20 else round(freedom))
    if key not in _QUANTILES:
        _QUANTILES[key] = float(stats.studentized_range.ppf(0.95, *key))
    return _QUANTILES[key]


RULES: dict[str, Rule] = {
    "paired t, Holm": _pairwise(_paired),
    "Welch, Holm": _pairwise(_welch),
    "Games-Howell": games_howell,
    "Tukey": tukey,
}


def measured(
    case: Case, k: int, n_seeds: int, sweeps: int, rules: dict[str, Rule]
) -> dict[str, tuple[float, float]]:
    """Return, by rule, the share of sweeps with a false claim, and the lead found in 80 % of sweeps."""
    false = dict.fromkeys(rules, 0)
    needed: dict[str, list[float]] = {name: [] for name in rules}
    for results in _sweeps(case, k, n_seeds, sweeps):
        means = np.array([each.values.mean() for each in results])
        best = int(means.argmax())
        for name, rule in rules.items():
            false[name] += bool((means[best] - means > rule(results, best)).any())
            # The first configuration, raised by a lead, is above the second by what the rule asks for.
            needed[name].append(float(rule(results, 0)[1] - (means[0] - means[1])))
    return {name: (false[name] / sweeps, float(np.sort(needed[name])[int(0.8 * sweeps)])) for name in rules}


def _sweeps(
    case: Case, k: int, n_seeds: int, sweeps: int, *, calibrates: bool = False
) -> Iterator[list[Results]]:
    """Yield simulated sweeps; those that calibrate the levels are not those that these are then measured on."""
    key = [k, n_seeds, round(10 * case.ratio), round(case.step), case.groups, int(calibrates)]
    rng = np.random.default_rng(key)
    for _ in range(sweeps):
        yield case.sweep(k, n_seeds, rng)


def table(sweeps: int, words: str, sizes: Sequence[int], others: bool) -> None:
    """Print false claims and leads for every number of configurations and seeds, case and rule."""
    print(f"{'':30}{'':10}" + "".join(f"{name:>20}" for name in ("ours", *RULES)))
    for case in (case for case in CASES if words in case.name):
        for k in sizes:
            for n_seeds in (1, *SEEDS):
                number = sweeps if k < 60 else sweeps // 2
                rules: dict[str, Rule] = {"ours": ours}
                if others and n_seeds > 1 and k < 60:
                    rules |= RULES
                found = measured(case, k, n_seeds, number, rules)
                cells = "".join(f"{false:>10.3f} {lead:>9.2f}" for false, lead in found.values())
                print(f"{case.name:30}K={k:<3} S={n_seeds:<3} {cells}", flush=True)


def calibrate(sweeps: int, sizes: Sequence[int]) -> None:
    """Print the nominal levels for `src.sweep.comparison.levels`."""
    for k in sizes:
        levels = []
        for n_seeds in SEEDS:
            worst = np.zeros(len(LEVELS))
            for case in CASES[:3]:
                missed = np.zeros(len(LEVELS))
                for results in _sweeps(case, k, n_seeds, sweeps, calibrates=True):
                    errors = estimate_errors(results, n_draws=DRAWS)
                    assert errors is not None
                    best = int(errors.means.argmax())
                    distance = (errors.means[best] - errors.means) / np.sqrt(errors.variance()[best] + 1e-300)
                    missed += distance.max() > np.quantile(largest_errors(errors), 1 - LEVELS)
                worst = np.maximum(worst, missed / sweeps)
            levels.append(float(np.interp(TARGET, worst, LEVELS)))
        print(f"    {k}: ({', '.join(f'{level:.3f}' for level in levels)}),", flush=True)


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sweeps", type=int, default=1000)
    parser.add_argument("--case", default="", help="only cases with these words in their name")
    parser.add_argument("--calibrate", action="store_true", help="print nominal levels instead")
    parser.add_argument("--configurations", type=int, nargs="+", help="numbers of configurations")
    parser.add_argument(
        "--ours", action="store_true", help="leave out the other rules, which take most of the time"
    )
    options = parser.parse_args()
    if options.calibrate:
        calibrate(options.sweeps, options.configurations or CALIBRATED)
    else:
        table(options.sweeps, options.case, options.configurations or SIZES, not options.ours)


if __name__ == "__main__":
    main()
