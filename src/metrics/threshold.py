"""The threshold above which a label counts as present, one for all classes or one for each.

The names are those of Yang, 'A study of thresholding strategies for text categorization', SIGIR 2001: SCut tunes on
validation, PCut gives each class to as many items as its share says.
"""

import torch
from torch import Tensor

from src.metrics.probabilities import as_probabilities

Threshold = float | Tensor
"""One for all classes, or (C,), one for each."""

GRID = 100
"""Steps from 0 to 1 in the plain grid of candidates."""

QUANTILES = 200
"""Steps from the lowest score to the highest, by rank, that follow scores squeezed into a small range."""


def tune_threshold(probabilities: Tensor, targets: Tensor) -> float:
    """Find the one threshold for all classes with the best macro-F1.

    Candidates are 0, .01, … .99 and the quantiles of the scores. A label is present where its probability is
    greater than the threshold, as in torchmetrics. Where several candidates are equally good, the middle of
    the widest run of them is taken, since it leaves the most room on both sides; so separable scores of 0 and
    1 give .5, and so does a part without any positive. A class without positives counts as F1 = 0.

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
        probabilities: (N, C), in 0..1, of the validation part, N ≥ 1.
        targets: (N, C), 0 or 1 of any type.

    Returns:
        (C,), in 0..1.
    """
    columns = range(probabilities.shape[1])
    return torch.tensor([tune_threshold(probabilities[:, [c]], targets[:, [c]]) for c in columns])


def pcut(probabilities: Tensor, shares: Tensor) -> Tensor:
    """Find each class's threshold that as many items exceed as the class's share says.

    It looks at the probabilities of all items that are to be labelled together, not at their labels. Where items with
    equal probabilities would be divided, all or none of them exceed it, whichever comes nearer to the share.

    Args:
        probabilities: (N, C), in 0..1, of the items that are to be labelled, N ≥ 1.
        shares: (C,), of the items that have the class, 0..1, such as those of the validation part.

    Returns:
        (C,), in 0..1.
    """
    ordered = as_probabilities(probabilities).sort(dim=0, descending=True).values.T
    counts = (shares.double() * ordered.shape[1]).round().long().tolist()
    return torch.stack([_cut(row, count) for row, count in zip(ordered, counts, strict=True)])


def _cut(ordered: Tensor, count: int) -> Tensor:
    """Give a threshold that about `count` of the scores (N,), greatest first, exceed."""
    above, below = torch.cat([ordered.new_ones(1), ordered]), torch.cat([ordered, ordered.new_zeros(1)])
    parted = above > below
    parted[0] = True  # nothing exceeds 1
    possible = parted.nonzero()[:, 0]
    at = possible[(possible - count).abs().argmin()]
    middle = (above[at] + below[at]) / 2
    return torch.where(middle < above[at], middle, below[at])


def _candidates(scores: Tensor) -> Tensor:
    ordered = scores.flatten().sort().values
    ranks = torch.linspace(0, len(ordered) - 1, QUANTILES + 1, dtype=torch.float64).long()
    return torch.cat([torch.arange(GRID) / GRID, ordered[ranks]]).sort().values


def _macro_f1(scores: Tensor, truth: Tensor, candidates: Tensor) -> Tensor:
    """Macro-F1 at each candidate: scores and truth (C, N), candidates (K,) -> (K,)."""
    predicted = _count_above(scores, candidates)
    hits = _count_above(scores.masked_fill(~truth, -1.0), candidates)
    f1 = 2 * hits / (predicted + truth.sum(1, keepdim=True)).clamp(min=1)
    return f1.mean(0)


def _count_above(scores: Tensor, candidates: Tensor) -> Tensor:
    """How many of each row of (C, N) are greater than each candidate: (C, K), float64."""
    each = candidates.expand(len(scores), -1).contiguous()
    at_most = torch.searchsorted(scores.sort(dim=1).values, each, right=True)
    return (scores.shape[1] - at_most).double()


def middle_of_best(candidates: Tensor, f1: Tensor) -> float:
    """Take the middle of the widest run of candidates (K,), in order, that have the best score (K,)."""
    best = (f1 >= f1.max() - 1e-9).int()
    edges = torch.nn.functional.pad(best, (1, 1)).diff()
    starts, ends = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0] - 1
    widest = int((candidates[ends] - candidates[starts]).argmax())
    run = candidates[starts[widest] : ends[widest] + 1]
    middle = (run[0] + run[-1]) / 2
    return float(run[(run - middle).abs().argmin()])
