"""Metrics of the ranking of classes, and of the N best-scored classes where the number N of labels is known.

They are computed from sums over items, so that a bootstrap can weight the items. Equal scores are ranked in the order
of the classes. Items without labels are left out; without any other item the metrics are 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def summands(scores: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """Return each item's contribution to the sums that `metrics_of_sums` takes.

    Args:
        scores: (N, C), any floating type, without NaN.
        truth: (N, C), bool.

    Returns:
        (N,) float32 each, 0 for an item without labels: `items` (1), `labels` (n), `first` (1 where the
        best-scored class is a label), `hits` (labels among the n best-scored classes), `exact` (1 where all
        are), `precision` (average precision of the item's ranking).
    """
    labels = truth.sum(1)
    hits = (_answers(scores, truth) & truth).sum(1)
    added = {
        "items": labels > 0,
        "labels": labels,
        "first": truth.gather(1, scores.argmax(1, keepdim=True))[:, 0],
        "hits": hits,
        "exact": (hits == labels) & (labels > 0),
        "precision": _ranking_precision(scores, truth),
    }
    return {name: values.float() for name, values in added.items()}


def metrics_of_sums(sums: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compute the metrics from sums over items.

    Args:
        sums: `summands`, summed over items with any number of weightings: all of one shape.

    Returns:
        By name, of that shape, in 0..1: `top_1` (share of the items whose best-scored class is one of their
        labels); `label_ranking_average_precision` (for each label the share of labels among the classes
        scored no lower, averaged over an item's labels, then over items: Schapire and Singer, 'BoosTexter',
        2000, as in scikit-learn and torchmetrics); and, the n best-scored classes of an item with n labels
        being its answer, `top_n_recall` (share of all labels found) and `top_n_exact` (share of the items
        with all found).
    """
    items, labels = sums["items"].clamp(min=1), sums["labels"].clamp(min=1)
    return {
        "top_1": sums["first"] / items,
        "label_ranking_average_precision": sums["precision"] / items,
        "top_n_recall": sums["hits"] / labels,
        "top_n_exact": sums["exact"] / items,
    }


def tables(scores: Tensor, truth: Tensor, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Tabulate how many of an item's n labels are among its n best-scored classes, by n and by class.

    Args:
        scores: (N, C), any floating type, without NaN.
        truth: (N, C), bool.
        classes: the C names.

    Returns:
        `right_of_n`: for each n that occurs, as a string, the share of the items with n labels of which
        exactly k are found, for k from 0 to n, as a string; `top_n_recall_by_class`: for each class the share
        of its items that find it, 0 for a class without items.
    """
    found = _answers(scores, truth) & truth
    labels, hits = truth.sum(1), found.sum(1)
    right = {
        str(n): {str(k): share for k, share in enumerate(_shares(hits[labels == n], n))}
        for n in torch.unique(labels[labels > 0]).tolist()
    }
    recall = (found.sum(0) / truth.sum(0).clamp(min=1)).tolist()
    return {"right_of_n": right, "top_n_recall_by_class": dict(zip(classes, recall, strict=True))}


def _answers(scores: Tensor, truth: Tensor) -> Tensor:
    """Return each item's n best-scored classes, n being the number of its labels: (N, C) bool."""
    order = scores.argsort(dim=1, descending=True, stable=True)
    best = torch.arange(scores.shape[1]) < truth.sum(1, keepdim=True)
    return torch.zeros_like(truth).scatter(1, order, best)


def _ranking_precision(scores: Tensor, truth: Tensor) -> Tensor:
    """Return each item's mean over its labels of (labels scored no lower) / (classes scored no lower): (N,)."""
    # Position in the sorted row, counting equal scores: the number of classes scored no lower, (N, C).
    falling = (-scores).contiguous()
    classes = torch.searchsorted(falling.sort(1).values, falling, right=True)
    # The same count among the item's labels: other classes are moved to the end.
    of_labels = falling.masked_fill(~truth, torch.inf).sort(1).values
    labels = torch.searchsorted(of_labels, falling, right=True)
    return (truth * labels / classes).sum(1) / truth.sum(1).clamp(min=1)


def _shares(hits: Tensor, n: int) -> list[float]:
    shares: list[float] = (torch.bincount(hits, minlength=n + 1) / len(hits)).tolist()
    return shares
