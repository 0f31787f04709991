"""Thresholds above which a label counts as present, one for all classes or one for each.

The names are those of Yang, 'A study of thresholding strategies for text categorization', SIGIR 2001: SCut tunes on
validation, PCut assigns each class to the share of items that it has in validation.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from src.metrics.item_groups import Groups, dealt, numbered
from src.metrics.probabilities import as_probabilities

Threshold = float | Tensor
"""One for all classes, (C,), one for each, or (N, 1) or (N, C), those of each item."""

GRID = 100
"""Steps from 0 to 1 in the regular grid of candidates."""

QUANTILES = 200
"""Quantiles of the scores that are candidates, too, for scores within a small range."""


def tune_threshold(probabilities: Tensor, targets: Tensor) -> float:
    """Find the one threshold for all classes with the best macro-F1.

    Candidates are 0, .01, … .99 and the quantiles of the scores. A label is present where its probability is
    greater than the threshold, as in torchmetrics. Of several equally good candidates the middle of the widest run is
    taken, which leaves the most room on both sides: separable scores of 0 and 1 give .5, and so do targets without any
    positive. A class without positives counts as F1 = 0.

    Args:
        probabilities: (N, C), in 0..1, N ≥ 1.
        targets: (N, C), 0 or 1 of any type.

    Returns:
        A threshold in 0..1.
    """
    scores = as_probabilities(probabilities).T.contiguous()
    candidates = _candidates(scores)
    f1 = _macro_f1(scores, targets.cpu().bool().T, candidates)
    return middle_of_best(candidates, f1)


def scut(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Find each class's threshold with the best F1 of that class.

    Args:
        probabilities: (N, C), in 0..1, of the validation split, N ≥ 1.
        targets: (N, C), 0 or 1 of any type.

    Returns:
        (C,), in 0..1.
    """
    columns = range(probabilities.shape[1])
    return torch.tensor([tune_threshold(probabilities[:, [c]], targets[:, [c]]) for c in columns])


def pcut(probabilities: Tensor, shares: Tensor) -> Tensor:
    """Find the threshold of each class that the given share of items exceeds.

    It depends on the probabilities of all items that are labelled together, not on their labels. Of items with equal
    probabilities all or none exceed the threshold, whichever is nearer to the share.

    Args:
        probabilities: (N, C), in 0..1, of the items that are to be labelled, N ≥ 1.
        shares: (C,), in 0..1, of items that have the class, such as in the validation split.

    Returns:
        (C,), in 0..1.
    """
    ordered = as_probabilities(probabilities).sort(dim=0, descending=True).values.T
    counts = (shares.double() * ordered.shape[1]).round().long().tolist()
    return torch.stack([_cut(row, count) for row, count in zip(ordered, counts, strict=True)])


def cross_fitted(
    tune: Callable[[Tensor, Tensor], Threshold], probabilities: Tensor, targets: Tensor, groups: Groups
) -> Tensor:
    """Tune thresholds on each half of the groups, and return for each item those of the half that it is not in.

    Metrics of the items at these thresholds are not flattered by the choice of the threshold.

    Args:
        tune: maps probabilities and targets of some items to thresholds.
        probabilities: (N, C), in 0..1.
        targets: (N, C), 0 or 1 of any type.
        groups: of the items, at least two; an item of several groups counts for its first.

    Returns:
        (N, 1), or (N, C) for thresholds by class.
    """
    numbers, n_groups = numbered(groups)
    half = torch.from_numpy(dealt(n_groups, 2)[numbers[:, 0]]).bool()
    found = {
        side: torch.as_tensor(tune(probabilities[half == side], targets[half == side]))
        for side in (False, True)
    }
    return torch.where(half[:, None], found[False].reshape(1, -1), found[True].reshape(1, -1)).float()


def _cut(ordered: Tensor, count: int) -> Tensor:
    """Return a threshold that about `count` of the scores (N,), greatest first, exceed."""
    # Cut k lies between the k-th score and the next one, (N + 1,) cuts in all; equal scores can't be separated.
    above, below = torch.cat([ordered.new_ones(1), ordered]), torch.cat([ordered, ordered.new_zeros(1)])
    separable = above > below
    separable[0] = True  # nothing exceeds 1
    possible = separable.nonzero()[:, 0]
    at = possible[(possible - count).abs().argmin()]
    middle = (above[at] + below[at]) / 2
    return torch.where(middle < above[at], middle, below[at])


def _candidates(scores: Tensor) -> Tensor:
    ordered = scores.flatten().sort().values
    ranks = torch.linspace(0, len(ordered) - 1, QUANTILES + 1, dtype=torch.float64).long()
    return torch.cat([torch.arange(GRID) / GRID, ordered[ranks]]).sort().values


def _macro_f1(scores: Tensor, truth: Tensor, candidates: Tensor) -> Tensor:
    """Return the macro-F1 at each candidate: scores and truth (C, N), candidates (K,) -> (K,)."""
    predicted = _count_above(scores, candidates)
    hits = _count_above(scores.masked_fill(~truth, -1.0), candidates)
    f1 = 2 * hits / (predicted + truth.sum(1, keepdim=True)).clamp(min=1)
    return f1.mean(0)


def _count_above(scores: Tensor, candidates: Tensor) -> Tensor:
    """Count the scores in each row of (C, N) that are greater than each candidate: (C, K), float64."""
    each = candidates.expand(len(scores), -1).contiguous()
    at_most = torch.searchsorted(scores.sort(dim=1).values, each, right=True)
    return (scores.shape[1] - at_most).double()


def middle_of_best(candidates: Tensor, f1: Tensor) -> float:
    """Return the middle of the widest run of candidates (K,), in ascending order, with the best score (K,)."""
    best = (f1 >= f1.max() - 1e-9).int()
    # Runs of best candidates begin where `edges` is 1 and end before it is −1.
    edges = torch.nn.functional.pad(best, (1, 1)).diff()
    starts, ends = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0] - 1
    # Within the widest run the candidate nearest to its middle is taken, so that the result is itself a candidate.
    widest = int((candidates[ends] - candidates[starts]).argmax())
    run = candidates[starts[widest] : ends[widest] + 1]
    middle = (run[0] + run[-1]) / 2
    return float(run[(run - middle).abs().argmin()])
