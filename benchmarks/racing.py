"""How often races drop a configuration that is as good as the best, what they find, and how many seeds they save.

    python benchmarks/racing.py [--searches 2000] [--configurations 6 18] [--rounds 10] [--nearest 2]
        [--case WORDS] [--judge] [--calibrate]

A search has configurations whose figures scatter over seeds. A false claim is a search in which one of the truly best
drops out. Power is the share of searches in which all that are truly worse drop out. `equal` is how many seeds each
configuration needs for the same power where all have as many, by the same test, which then looks once; `ratio` is what
the race spends of these. Beside it stand, on the same draws, F-Race (Birattari et al. 2002) and paired t-tests as irace
(López-Ibáñez et al. 2016) has them, from five seeds on at the 5 % level; Optuna's `WilcoxonPruner` as it is by default,
one trial after another; paired t-tests whose level is shared among pairs and looks (Bonferroni); and with `--judge`, on
a tenth of the searches, the leaderboard's rule with its level shared among looks.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from src.sweep.comparison.racing import compare, level, look
from src.sweep.comparison.results import Results, estimate_errors
from src.sweep.comparison.verdicts import largest_errors

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEAREST, FURTHEST = 2.0, 30.0
"""How far the nearest and the furthest of the worse configurations are behind, in deviations over seeds (root mean
square of all configurations): .02 to .3 where a deviation is .01. Others are between them, evenly by factors."""

MOST_SEEDS = 50
"""Of the race with equal seeds."""

BATCH = 250
"""Searches that are computed at once."""


@dataclass(frozen=True)
class Case:
    """What the noise of simulated configurations is like.

    Attributes:
        ratio: how many times as large as the others' the deviation over seeds of a third of them is.
        step: that figures are rounded to, in deviations; 0: not at all.
        luck: deviation of what seeds share in all configurations.
    """

    name: str
    ratio: float = 1.0
    step: float = 0.0
    luck: float = 0.0

    def draw(self, gaps: Floats, searches: int, n_seeds: int, rng: np.random.Generator) -> Floats:
        """Return losses (N, K, S) of configurations that are truly behind by `gaps` (K,), in deviations."""
        shape = searches, len(gaps), n_seeds
        deviations = np.ones(shape[1])
        deviations[: max(1, len(gaps) // 3)] = self.ratio
        deviations = rng.permuted(np.tile(deviations, (searches, 1)), axis=1)
        shared = self.luck * rng.standard_normal((searches, 1, n_seeds))
        typical = np.sqrt(np.square(deviations).mean())
        losses = rng.standard_normal(shape) * deviations[:, :, None] + shared + typical * gaps[:, None]
        return np.round(losses / self.step) * self.step if self.step else losses


CASES = (
    Case("equal deviations"),
    Case("a third 2.5 times as noisy", ratio=2.5),
    Case("a third 5 times as noisy", ratio=5.0),
    Case("steps of 2 deviations", step=2.0),
    Case("seeds correlated by .9", luck=3.0),
    Case("a third 5 times, correlated", ratio=5.0, luck=3.0),
)


def truths(k: int, nearest: float = NEAREST) -> dict[str, Floats]:
    """Return how far K configurations are truly behind: all equal, two best ones, one best one."""
    found = {"all equal": np.zeros(k)}
    for name, best in (("two best", 2), ("one best", 1)):
        if k > best:
            found[name] = np.concatenate([np.zeros(best), np.geomspace(nearest, FURTHEST, k - best)])
    return found


@dataclass(frozen=True)
class Raced:
    """The ends of N races: which configurations are left (N, K), and the seeds of each (N, K)."""

    left: Flags
    n_seeds: NDArray[np.int64]

    def false(self, gaps: Floats) -> float:
        """Return the share of searches in which one of the best has dropped out."""
        return float((~self.left[:, gaps == 0]).any(1).mean())

    def power(self, gaps: Floats) -> float:
        """Return the share of searches in which all that are worse have dropped out."""
        return float((~self.left[:, gaps > 0]).all(1).mean())


Look = Callable[[Floats, Flags], Flags]
"""Maps losses (N, K, S) and which configurations are left (N, K) to which of them still are."""


def race(losses: Floats, test: Look, first: int = 2) -> Raced:
    """Race configurations: a look after each seed from the `first` on, until one is left or the seeds are used up."""
    left, n_seeds = np.ones(losses.shape[:2], dtype=np.bool_), np.zeros(losses.shape[:2], dtype=np.int64)
    for seeds in range(1, losses.shape[2] + 1):
        runs = left & (left.sum(1, keepdims=True) > 1)
        n_seeds[runs] = seeds
        going = np.flatnonzero(runs.any(1))
        for batch in np.split(going, range(BATCH, len(going), BATCH)) if seeds >= first else []:
            if len(batch):
                seen = np.where(
                    np.arange(seeds) < n_seeds[batch][:, :, None], losses[batch, :, :seeds], np.nan
                )
                left[batch] = test(seen, left[batch])
    return Raced(left, n_seeds)


def once(losses: Floats, n_seeds: int) -> Raced:
    """Compare all configurations once, after equally many seeds each."""
    left = np.ones(losses.shape[:2], dtype=np.bool_)
    for batch in np.split(np.arange(len(losses)), range(BATCH, len(losses), BATCH)):
        left[batch], _ = look(losses[batch, :, :n_seeds], left[batch], level(2))
    return Raced(left, np.full(left.shape, n_seeds))


def equal_seeds(losses: Floats, gaps: Floats, power: float) -> float:
    """Return the number of seeds for all with which one look has the same power; infinite beyond `MOST_SEEDS`."""
    before = 0.0
    for n_seeds in range(2, losses.shape[2] + 1):
        now = once(losses, n_seeds).power(gaps)
        if now >= power:
            return n_seeds - (now - power) / (now - before) if n_seeds > 2 else 2.0
        before = now
    return float("inf")


def ours(rounds: int, seen: Floats, left: Flags) -> Flags:
    """The rule of `race=true`."""
    return look(seen, left, level(rounds))[0]


def _against_leader(seen: Floats, left: Flags) -> Floats:
    """Return paired differences to the leader (N, K, S), positive where it is better."""
    leader = np.where(left, seen.mean(2), np.inf).argmin(1)
    return np.asarray(seen - seen[np.arange(len(seen)), leader][:, None])


def _t_test(seen: Floats, left: Flags) -> Floats:
    """Return one-sided p-values (N, K) of paired t-tests against the leader."""
    differences, n_seeds = _against_leader(seen, left), seen.shape[2]
    deviation = differences.std(2, ddof=1)
    known = left & (deviation > 0)  # seeds that agree tell no deviation
    p = stats.t.sf(differences.mean(2) / np.where(known, deviation, 1.0) * np.sqrt(n_seeds), n_seeds - 1)
    return np.where(known, p, 1.0)


def t_race(seen: Floats, left: Flags) -> Flags:
    """Paired t-tests without correction, irace's `testType="t-test"`."""
    return np.asarray(left & (_t_test(seen, left) >= 0.025))


def shared_t(rounds: int, seen: Floats, left: Flags) -> Flags:
    """Paired t-tests whose level is shared among all pairs of those that are left and all looks."""
    a = left.sum(1, keepdims=True)
    return np.asarray(left & (_t_test(seen, left) * a * (a - 1) >= 0.05 / (rounds - 1)))


def f_race(seen: Floats, left: Flags) -> Flags:
    """Friedman's test, then Conover's comparisons with the best; of two the signed-rank test."""
    n, a = seen.shape[2], left.sum(1).astype(float)
    ranks = stats.rankdata(np.where(left[:, :, None], seen, np.inf), axis=1) * left[:, :, None]
    sums, squares = ranks.sum(2), np.square(ranks).sum((1, 2))
    expected = n * a * (a + 1) ** 2 / 4
    spread = np.maximum(squares - expected, 1e-12)
    centred = np.where(left, sums - (n * (a + 1) / 2)[:, None], 0.0)
    friedman = (a - 1) * np.square(centred).sum(1) / spread
    differ = stats.chi2.sf(friedman, a - 1) < 0.05
    freedom = (n - 1) * (a - 1)
    error = np.sqrt(np.maximum(2 * n * (1 - friedman / (n * (a - 1))) * spread / freedom, 0.0))
    behind = sums - np.where(left, sums, np.inf).min(1, keepdims=True)
    still = left & ~(differ[:, None] & (behind > (stats.t.ppf(0.975, freedom) * error)[:, None]))
    two = a == 2
    still[two] = left[two] & (_signed_rank(np.nan_to_num(_against_leader(seen[two], left[two]))) >= 0.025)
    return still


def _signed_rank(differences: Floats) -> Floats:
    """Return one-sided p-values (…,) of the exact signed-rank test of differences (…, S) above 0; zeros are split."""
    ranks = stats.rankdata(np.abs(differences), axis=-1)
    above = (ranks * (0.5 + 0.5 * np.sign(differences))).sum(-1)
    return _signed_rank_tail(differences.shape[-1])[np.ceil(above).astype(int)]


@cache
def _signed_rank_tail(n: int) -> Floats:
    """Return the probability that the ranks of the positive ones of n differences sum up to 0, 1, … or more."""
    ways = np.ones(1)
    for rank in range(1, n + 1):
        ways = np.convolve(ways, np.bincount([0, rank]))
    return np.asarray(ways[::-1].cumsum()[::-1] / 2.0**n)


def wilcoxon_pruner(losses: Floats) -> Raced:
    """Optuna's `WilcoxonPruner()`: each trial against the best complete one so far, seed by seed."""
    searches, k, rounds = losses.shape
    left, n_seeds = np.ones((searches, k), dtype=np.bool_), np.full((searches, k), rounds)
    best, search = np.zeros(searches, dtype=np.int64), np.arange(searches)
    for one in range(1, k):
        for seeds in range(2, rounds):
            own, others = losses[:, one, :seeds], losses[search, best]
            pruned = (
                (_signed_rank(own - others[:, :seeds]) < 0.1) & (own.mean(1) > others.mean(1)) & left[:, one]
            )
            n_seeds[pruned, one], left[pruned, one] = seeds, False
        better = left[:, one] & (losses[:, one].mean(1) < losses[search, best].mean(1))
        best[better] = one
    return Raced(left, n_seeds)


def judged(rounds: int, seen: Floats, left: Flags) -> Flags:
    """The leaderboard's rule, which knows nothing of shared luck, with its level shared among looks."""
    still = left.copy()
    for one, (values, of_one) in enumerate(zip(seen, left, strict=True)):
        results = [Results(row[np.isfinite(row)]) for row in values[of_one]]
        errors = estimate_errors(results, n_draws=2000)
        if errors is not None:
            best = int(errors.means.argmin())
            critical = np.quantile(largest_errors(errors), 1 - 0.05 / (rounds - 1))
            behind = errors.means - errors.means[best]
            still[one, of_one] = ~(behind > critical * np.sqrt(errors.variance()[best]))
    return still


def measured(case: Case, gaps: Floats, rounds: int, searches: int) -> tuple[Floats, Raced]:
    """Return draws, and how they are raced by the rule of `race=true`."""
    rng = np.random.default_rng([len(gaps), int((gaps == 0).sum()), round(10 * case.ratio), round(case.luck)])
    losses = case.draw(gaps, searches, MOST_SEEDS, rng)
    return losses, race(losses[:, :, :rounds], partial(ours, rounds))


def others(losses: Floats, judge: bool) -> Iterator[Raced]:
    """Yield how others race the same draws."""
    rounds = losses.shape[2]
    yield race(losses, f_race, first=5)
    yield race(losses, t_race, first=5)
    yield wilcoxon_pruner(losses)
    yield race(losses, partial(shared_t, rounds))
    if judge:
        yield race(losses[: len(losses) // 10], partial(judged, rounds))


OTHERS = ("F-Race", "irace's t", "Wilcoxon pruner", "shared t", "judge, shared")


def table(options: argparse.Namespace) -> None:
    """Print false claims, power and seeds a configuration, for each case and number of configurations."""
    rules = OTHERS if options.judge else OTHERS[:-1]
    told = "false claims, power, seeds a configuration"
    print(f"| K | truth | noise | race: {told} | equal | ratio | {' | '.join(rules)} |")
    print("| --- " * (6 + len(rules)) + "|")
    for k in options.configurations:
        for truth, gaps in truths(k, options.nearest).items():
            for case in (case for case in CASES if options.case in case.name):
                losses, raced = measured(case, gaps, options.rounds, options.searches)
                equal = equal_seeds(losses, gaps, raced.power(gaps)) if gaps.any() else np.nan
                ratio = raced.n_seeds.mean() / equal
                cells = [_cell(each, gaps) for each in others(losses[:, :, : options.rounds], options.judge)]
                compared = f"{equal:.1f} | {ratio:.2f}" if gaps.any() else " | "
                print(
                    f"| {k} | {truth} | {case.name} | {_cell(raced, gaps)} | {compared} | {' | '.join(cells)} |",
                    flush=True,
                )


def _cell(raced: Raced, gaps: Floats) -> str:
    power = f"{raced.power(gaps):.2f}" if gaps.any() else "–"
    return f"{raced.false(gaps):.3f}, {power}, {raced.n_seeds.mean():.1f}"


def calibrate(options: argparse.Namespace) -> None:
    """Print by number of configurations, all equal, and of rounds the level of 5 % false claims, for each case."""
    for k in (2, 3, *options.configurations):
        for rounds in (3, 5, 10, 20):
            found = []
            for case in CASES:
                rng = np.random.default_rng([k, rounds])
                losses = case.draw(np.zeros(k), options.searches, rounds, rng)
                least = [_least(batch) for batch in np.split(losses, range(BATCH, len(losses), BATCH))]
                found.append(float(np.quantile(np.concatenate(least), 0.05)) / level(rounds, 1.0))
            print(f"K={k:<3} rounds={rounds:<3} " + " ".join(f"{each:.3f}" for each in found), flush=True)


def _least(losses: Floats) -> Floats:
    """Return the least probability of all looks (N,), while all are left."""
    left = np.ones(losses.shape[:2], dtype=np.bool_)
    looks = [compare(losses[:, :, :seeds], left).tail(0.0, left) for seeds in range(2, losses.shape[2] + 1)]
    return np.asarray(np.min(looks, axis=(0, 2)))


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument("--configurations", type=int, nargs="+", default=[6, 18])
    parser.add_argument("--rounds", type=int, default=10, help="the most seeds of a configuration")
    parser.add_argument(
        "--nearest", type=float, default=NEAREST, help="deviations that the next best is behind"
    )
    parser.add_argument("--case", default="", help="only noise with these words in its name")
    parser.add_argument("--judge", action="store_true", help="the leaderboard's rule, too")
    parser.add_argument("--calibrate", action="store_true", help="print levels instead")
    options = parser.parse_args()
    (calibrate if options.calibrate else table)(options)


if __name__ == "__main__":
    main()
