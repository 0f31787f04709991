"""Racing: which configurations of a sweep need no more seeds, since they are told from the best one already.

After each round of one seed for each configuration that is left, the leader is compared with all others, and those that
are told from it drop out, as in F-Race (Birattari et al., 'A Racing Algorithm for Configuring Metaheuristics', 2002)
and irace (López-Ibáñez et al. 2016). These look again and again at a level that holds for one look only. Here the looks
are paid for, as in group-sequential trials (Pocock 1977; Lan and DeMets 1983): the level is shared out evenly, so that
in at most 5 % of searches a configuration ever drops out that is truly as good as the best. `benchmarks/racing.py`
shows it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from src.sweep.comparison.paired import MEDIAN, PARTS, moments

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIRST_LOOK = 2
"""Seeds before which nothing tells the noise."""

LEVEL = 0.04
"""That of a race of one look. By `benchmarks/racing.py --calibrate`, 5 % of searches have a false claim in its worst
case at .042 or more, with 2 to 60 configurations and up to 40 rounds."""


def level(rounds: int, total: float = LEVEL) -> float:
    """Return the level of each look, of which there is one after each round but the first.

    A Bonferroni correction would divide by the number of looks L. But looks share their data: two in a row hardly
    differ. In simulated races of 3 to 40 rounds, a level that goes with 1/√L keeps all looks together at 5 %.

    Args:
        rounds: of the race, the most seeds.
        total: what is shared out.
    """
    return float(total / np.sqrt(rounds - FIRST_LOOK + 1))


class Comparison(NamedTuple):
    """How far configurations are behind the leader, the one with the best mean of those that are left.

    Attributes:
        leads: (N, K), how much the leader is better.
        errors: (N, K, Q), the standard error of each lead, in each of the `PARTS` of the posterior of the variances;
            NaN where nothing tells them.
    """

    leads: Floats
    errors: Floats

    def tail(self, least: float, left: Flags) -> Floats:
        """Return the probability that the largest of all differences exceeds by chance `leads` − `least`, (N, K).

        Tukey's range test: among A equal configurations, the largest difference between two. Bonferroni's bound takes
        A² in place of the A (A − 1) ordered pairs, since simulated races err most where two are left. A is the number
        of those that are left: what has dropped out is worse (as in Holm's procedure), but still tells variances.

        Args:
            least: the lead that is no claim.
            left: (N, K), which ones have not dropped out.
        """
        pairs = np.square(left.sum(1))[:, None, None]
        bound = np.minimum(1.0, pairs * ndtr((least - self.leads)[..., None] / self.errors)) @ PARTS
        return np.where(np.isfinite(bound), bound, 1.0)


def compare(losses: Floats, left: Flags) -> Comparison:
    """Compare configurations with the leader, in N searches at once.

    Args:
        losses: (N, K, S), of K configurations with S seeds, less being better; NaN where there is none.
        left: (N, K), which ones have not dropped out.
    """
    found = moments(losses)
    search, squared = np.arange(len(losses)), found.squared_errors()
    leader = np.where(left, found.means, np.inf).argmin(1)
    leads = found.means - found.means[search, leader][:, None]
    return Comparison(leads, np.sqrt(squared + squared[search, leader][:, None]))


def look(losses: Floats, left: Flags, alpha: float, matters: float = 0.0) -> tuple[Flags, Flags]:
    """Take one look at N searches.

    Args:
        losses: see `compare`.
        left: see `compare`.
        alpha: level of the look.
        matters: the smallest difference worth a look, in the unit of the losses.

    Returns:
        Which ones are left (N, K); and whether all of these are within what matters of the leader (N,).
    """
    found, before = compare(losses, left), np.zeros_like(left)
    while (left != before).any():  # once fewer are left, less has to be corrected for
        before, left = left, left & (found.tail(0.0, left) >= alpha)
    furthest = Comparison(-found.leads, found.errors).tail(-matters, left)
    return left, np.asarray((np.where(left, furthest, 0.0) < alpha).all(1))


@dataclass(frozen=True)
class Standing:
    """How a race stands.

    Attributes:
        seeds: that the configurations which are left have had when they were last compared.
        left: which have not dropped out.
        after: by configuration, after how many seeds it dropped out.
        tied: whether those that are left are declared tied.
        waits: which of `left` have to run their next seed, until they are compared again; empty where the race is over.
        safe: which of `left` have run it and are as good as the leader so far, while others run it still.
    """

    seeds: int
    left: tuple[int, ...]
    after: dict[int, int]
    tied: bool = False
    waits: tuple[int, ...] = ()
    safe: tuple[int, ...] = ()


def standing(losses: Floats, matters: float) -> Standing:
    """Tell from all figures so far how a race stands; nothing else is remembered of it.

    A configuration that diverged or failed drops out at once. Figures of later seeds than those that are compared are
    not looked at: it makes no difference which trial ends first.

    Args:
        losses: (K, R), of K configurations with up to R seeds, less being better; NaN: not known yet; infinite: the
            trial diverged or failed.
        matters: see `look`.
    """
    known, rounds = np.where(np.isinf(losses), np.nan, losses), losses.shape[1]
    left, seeds = np.ones(len(losses), dtype=np.bool_), 0
    after: dict[int, int] = {}
    for seeds in range(1, rounds + 1):
        _leave(left, after, left & ~np.isinf(losses[:, seeds - 1]), seeds)
        waits = left & np.isnan(losses[:, seeds - 1])
        if waits.any() and left.sum() > 1:
            names = tuple(map(int, np.flatnonzero(waits)))
            return Standing(
                seeds - 1, _names(left), after, waits=names, safe=_safe(known, left, waits, seeds)
            )
        if left.sum() < 2:
            break
        if seeds >= FIRST_LOOK:
            seen = _seen(known, after, seeds)
            [still], [tied] = look(seen[None], left[None], level(rounds), matters)
            _leave(left, after, still, seeds)
            if tied or left.sum() < 2:
                return Standing(seeds, _names(left), after, bool(tied and left.sum() > 1))
    return Standing(seeds, _names(left), after)


def _leave(left: Flags, after: dict[int, int], still: Flags, seeds: int) -> None:
    """Note which configurations drop out after so many seeds."""
    after |= {int(index): seeds for index in np.flatnonzero(left & ~still)}
    left &= still


def _seen(known: Floats, after: dict[int, int], seeds: int) -> Floats:
    """Return the figures of the first `seeds`, (K, `seeds`), of what dropped out only those until then."""
    seen = known[:, :seeds].copy()
    for index, number in after.items():
        seen[index, number:] = np.nan
    return seen


def _safe(known: Floats, left: Flags, waits: Flags, seeds: int) -> tuple[int, ...]:
    """Return which of those that do not wait are behind the leader by one standard error at most, by what is known."""
    if seeds < FIRST_LOOK:
        return _names(left & ~waits)
    found = compare(known[None, :, :seeds], (left & ~waits)[None])
    level_with = found.leads[0] <= found.errors[0, :, MEDIAN]
    return _names(left & ~waits & level_with)


def _names(left: Flags) -> tuple[int, ...]:
    return tuple(map(int, np.flatnonzero(left)))
