"""Verdicts: which configurations are among the best, which are worse, and where more seeds would tell.

All intervals hold at once: with probability 95 % every one of them covers its difference, whichever configuration was
chosen as the best, and by whatever data (max-t over all pairs, see Hsu, 'Multiple Comparisons', 1996, chapter 5).
`benchmarks/verdicts.py` simulates how often that is so, and which leads are found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from src.sweep.comparison.levels import nominal_level
from src.sweep.comparison.results import DRAWS, Errors, Results, estimate_errors

Floats = NDArray[np.float64]

MOST_SEEDS = 50
"""Further seeds beyond which no number is named."""


class Verdict(StrEnum):
    """What the data say of a configuration."""

    AMONG_BEST = "among the best"
    """It is behind the chosen configuration by no more than what matters."""
    WORSE = "worse"
    """It is behind by more than what matters."""
    UNDECIDED = "undecided"
    """The interval allows both."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on one configuration.

    Attributes:
        verdict: of the three.
        behind: how much its mean on test is behind that of the chosen configuration (of the chosen one: of the best
            other); negative where it is ahead; `None` where it has no result.
        low, high: simultaneous 95 % interval of the difference; `None` where there is no variance to tell it from.
        p_best: probability that it is the best, 0..1, `None` likewise.
        more_seeds: how many more seeds would tell, if differences stay as they are; `None`: none are needed, or more
            than `MOST_SEEDS`, or unknown.
        more_items: whether test items are too few to tell the difference with any number of seeds.
    """

    verdict: Verdict
    behind: float | None = None
    low: float | None = None
    high: float | None = None
    p_best: float | None = None
    more_seeds: int | None = None
    more_items: bool = False


def judge(
    results: Sequence[Results],
    *,
    chosen: int,
    higher_is_better: bool,
    matters: float,
    against_chosen_only: bool = False,
    n_draws: int = DRAWS,
) -> list[Judgement]:
    """Judge configurations by their results on test.

    Args:
        results: of the configurations, on the same items.
        chosen: index of the one that the others are compared with: the best on validation, or a reference.
        higher_is_better: whether greater values are better.
        matters: the smallest difference worth a look, >= 0.
        against_chosen_only: whether `chosen` was fixed before there were results, so that the intervals need to hold
            for the comparisons with it only (Dunnett 1955), not for its choice.
        n_draws: of the errors.
    """
    sign = 1.0 if higher_is_better else -1.0
    means = sign * np.array([each.values.mean() for each in results])
    errors = estimate_errors(results, n_draws=n_draws) if len(results) > 1 else None
    if errors is None:
        gaps = [means[_rivals(index, chosen, means)] - means[index] for index in range(len(results))]
        return [Judgement(Verdict.UNDECIDED, float(each.max()) if len(each) else None) for each in gaps]
    critical = critical_value(errors, chosen if against_chosen_only else None)
    half = critical * np.sqrt(errors.variance())
    p_best = probability_of_best(errors, sign)
    judged = []
    for index in range(len(results)):
        rivals = _rivals(index, chosen, means)
        gaps = means[rivals] - means[index]
        low, high = (gaps - half[index, rivals]).max(), (gaps + half[index, rivals]).max()
        verdict = _verdict(low, high, matters)
        more: tuple[int | None, bool] = (None, False)
        if verdict == Verdict.UNDECIDED:
            nearest = int((gaps + half[index, rivals]).argmax())
            more = more_seeds(errors, index, rivals[nearest], abs(gaps[nearest] - matters), critical)
        judged.append(
            Judgement(verdict, float(gaps.max()), float(low), float(high), float(p_best[index]), *more)
        )
    return judged


def critical_value(errors: Errors, reference: int | None = None) -> float:
    """Return the number of standard errors on each side of a difference that intervals need to hold at once.

    Args:
        errors: of K >= 2 configurations.
        reference: see `largest_errors`.
    """
    level = nominal_level(len(errors.means), float(errors.n_seeds.mean()))
    return float(np.quantile(largest_errors(errors, reference), 1 - level))


def largest_errors(errors: Errors, reference: int | None = None) -> Floats:
    """Return in each draw the largest error of a difference, in standard errors, (R,).

    Args:
        errors: of K >= 2 configurations.
        reference: all differences from this one; `None`: between all pairs, so that any of them may be chosen.
    """
    # In single precision, and with the draws of a configuration side by side: six times as fast for 400 of them.
    deviation = np.sqrt(errors.variance()).astype(np.float32)
    drawn = np.ascontiguousarray(errors.drawn.T, dtype=np.float32)
    largest = np.zeros(drawn.shape[1], np.float32)
    for one in range(len(drawn)) if reference is None else [reference]:
        others = slice(one + 1, None) if reference is None else np.arange(len(drawn)) != one
        between = np.abs(drawn[others] - drawn[one])
        between /= deviation[one, others, None]
        if len(between):
            np.maximum(largest, between.max(0), out=largest)
    return largest.astype(np.float64)


def probability_of_best(errors: Errors, sign: float) -> Floats:
    """Return the probability that each configuration is the best, (K,), sum 1.

    Args:
        errors: of the configurations.
        sign: 1 where greater values are better, else −1.
    """
    best = (sign * (errors.means + errors.drawn)).argmax(1)
    return np.bincount(best, minlength=len(errors.means)) / len(best)


def more_seeds(
    errors: Errors, index: int, rival: int, margin: float, critical: float
) -> tuple[int | None, bool]:
    """Return how many more seeds for every configuration would tell two apart, or show that they are alike.

    Args:
        errors: of the configurations.
        index: of one.
        rival: index of the other.
        margin: how far their difference is from the one that matters.
        critical: of the present intervals.

    Returns:
        The number, `None` where it is above `MOST_SEEDS`; and whether test items are too few for any number of seeds.
    """
    k, n_seeds = len(errors.means), errors.n_seeds
    over_items = errors.item_variance[index, rival]
    now = _quantile(k, n_seeds.sum() - k)
    if critical * _quantile(k, np.inf) / now * np.sqrt(over_items) >= margin:
        return None, True
    for more in range(1, MOST_SEEDS + 1):
        later = n_seeds + more
        over_seeds = (errors.seed_variance / later)[[index, rival]].sum()
        half = critical * _quantile(k, later.sum() - k) / now * np.sqrt(over_seeds + over_items)
        if half <= margin:
            return more, False
    return None, False


@cache
def _quantile(k: int, freedom: float) -> float:
    """Return Bonferroni's bound of the critical value of all pairs, which says how it falls with more seeds."""
    return float(stats.t.ppf(1 - 0.025 / (k * (k - 1) / 2), max(1.0, freedom)))


def _rivals(index: int, chosen: int, means: Floats) -> list[int]:
    """Return what a configuration is compared with: the chosen one, which itself may be behind any of the others."""
    return [chosen] if index != chosen else [other for other in range(len(means)) if other != chosen]


def _verdict(low: float, high: float, matters: float) -> Verdict:
    if low > matters:
        return Verdict.WORSE
    return Verdict.AMONG_BEST if high < matters else Verdict.UNDECIDED
