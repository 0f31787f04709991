"""Metrics of weighted items, for all weightings at once.

A weight says how many times an item is there: the number of times it was drawn in a bootstrap, or 0 where a jackknife
leaves it out. Every metric here is computed from weighted sums over items, which gives exactly the metric of the
repeated items. The threshold stays fixed, even where it was chosen from the test items' probabilities (PCut).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from src.metrics import top_n
from src.metrics.rolls import METRICS, metrics_of_totals
from src.metrics.threshold import Threshold

Measure = Callable[[Tensor], dict[str, Tensor]]
"""Maps weights (N, R), whole numbers, to the values (R,) of some metrics by name."""

Measures = Mapping[tuple[str, ...], Measure]
"""Functions by the names of the metrics that they compute, so that one metric can be computed without the others."""

RATIOS = tuple(
    f"{name}_{average}" for name in ("f1", "precision", "recall") for average in ("macro", "micro")
)
RANKED = ("top_1", "label_ranking_average_precision", "top_n_recall", "top_n_exact")

RANGES = {
    "spearman": (-1.0, 1.0),
    "r2": (-float("inf"), 1.0),
    **dict.fromkeys(("mse", "mae", "nll", "nll_onsets"), (0.0, float("inf"))),
}
"""Least and greatest value of the metrics that are not in 0..1."""


def range_of(metric: str) -> tuple[float, float]:
    """Return the least and greatest value of a metric; that of an axis is named `<metric>_by_axis/<axis>`."""
    return RANGES.get(metric.partition("_by_axis/")[0], (0.0, 1.0))


def measure_of(measures: Measures, metric: str) -> Measure | None:
    """Return the function that computes a metric, or `None` where none does."""
    return next((measure for names, measure in measures.items() if metric in names), None)


def weighted_multilabel(scores: Tensor, truth: Tensor, threshold: Threshold) -> Measures:
    """Return all scalar metrics of `evaluate_multilabel`.

    Args:
        scores: float32 (N, C), probabilities.
        truth: bool (N, C).
        threshold: a score above which a label is predicted, one for all or (C,).
    """
    return {
        (*RATIOS, "subset_accuracy"): partial(_counted_labels, scores > threshold, truth),
        ("average_precision",): partial(_average_precision_of_labels, scores, truth),
        RANKED: partial(_ranked_labels, scores, truth),
    }


def weighted_multiclass(answers: Tensor, targets: Tensor, n_classes: int) -> Measures:
    """Return all scalar metrics of `evaluate_multiclass`.

    A class that is neither target nor answer among the weighted items is left out of its macro averages.

    Args:
        answers: int64 (N,), in 0..C−1.
        targets: int64 (N,), likewise.
        n_classes: C.
    """
    marks = (torch.nn.functional.one_hot(classes, n_classes).bool() for classes in (answers, targets))
    return {(*RATIOS, "accuracy"): partial(_counted_classes, *marks)}


def weighted_regression(predictions: Tensor, targets: Tensor, names: Sequence[str]) -> Measures:
    """Return all scalar metrics of `evaluate_regression`, and the rank correlation `spearman_by_axis/<axis>`.

    Args:
        predictions: float64 (N, D), N ≥ 2.
        targets: float64 (N, D).
        names: the D names of the axes.
    """
    by_axis = tuple(f"spearman_by_axis/{name}" for name in names)
    return {
        ("spearman", *by_axis): partial(_correlated, predictions, targets, by_axis),
        ("mse", "mae", "r2"): partial(_errors, predictions, targets),
    }


def weighted_rolls(totals: Mapping[str, Tensor]) -> Measures:
    """Return all metrics of `evaluate_rolls`, of weighted pieces.

    Args:
        totals: of `totals_by_piece`, float64 (n, P) each.
    """

    def measure(weights: Tensor) -> dict[str, Tensor]:
        return metrics_of_totals({name: total @ weights.double() for name, total in totals.items()})

    return {tuple(name for name in METRICS if name in totals or name != "nll_onsets"): measure}


def _counted_labels(answers: Tensor, truth: Tensor, weights: Tensor) -> dict[str, Tensor]:
    exact = (answers == truth).all(1, keepdim=True)
    counted = torch.cat([answers & truth, answers & ~truth, ~answers & truth, exact], dim=1).float().T
    hits, false, missed, exact = torch.split(counted @ weights, [truth.shape[1]] * 3 + [1])
    measured = _precision_recall_f1(hits, false, missed, kept=torch.ones_like(hits))
    return measured | {"subset_accuracy": exact[0] / weights.sum(0).clamp(min=1)}


def _ranked_labels(scores: Tensor, truth: Tensor, weights: Tensor) -> dict[str, Tensor]:
    summands = top_n.summands(scores, truth)
    return top_n.metrics_of_sums({name: values @ weights for name, values in summands.items()})


def _average_precision_of_labels(scores: Tensor, truth: Tensor, weights: Tensor) -> dict[str, Tensor]:
    """Return the mean over classes with positives among the weighted items."""
    total, kept = torch.zeros(weights.shape[1]), torch.zeros(weights.shape[1])
    for score, present in zip(scores.T, truth.T, strict=True):
        if present.any():
            precision, exists = _average_precision(score, present, weights)
            total, kept = total + precision, kept + exists
    return {"average_precision": total / kept.clamp(min=1)}


def _counted_classes(answers: Tensor, truth: Tensor, weights: Tensor) -> dict[str, Tensor]:
    counted = torch.cat([answers & truth, answers & ~truth, ~answers & truth], dim=1).float().T
    hits, false, missed = torch.split(counted @ weights, truth.shape[1])
    measured = _precision_recall_f1(hits, false, missed, kept=(hits + false + missed > 0).float())
    return measured | {"accuracy": measured["recall_micro"]}


def _correlated(
    predictions: Tensor, targets: Tensor, names: Sequence[str], weights: Tensor
) -> dict[str, Tensor]:
    axes = zip(predictions.T, targets.T, strict=True)
    by_axis = [_spearman(*axis, weights.double()) for axis in axes]
    return {"spearman": torch.stack(by_axis).mean(0), **dict(zip(names, by_axis, strict=True))}


def _errors(predictions: Tensor, targets: Tensor, weights: Tensor) -> dict[str, Tensor]:
    weights, error = weights.double(), predictions - targets
    n_items, squares = weights.sum(0).clamp(min=1), error.square().T @ weights
    spread = _weighted_squares(targets, weights)
    r2 = torch.where(spread > 0, 1 - squares / spread.clamp(min=1e-30), 0.0)
    return {
        "mse": squares.mean(0) / n_items,
        "mae": (error.abs().T @ weights).mean(0) / n_items,
        "r2": r2.mean(0),
    }


def _precision_recall_f1(hits: Tensor, false: Tensor, missed: Tensor, kept: Tensor) -> dict[str, Tensor]:
    """Return macro averages over the kept classes and micro averages, with 0/0 = 0: each (C, R) -> (R,)."""
    ratios = {
        "f1": (2 * hits, 2 * hits + false + missed),
        "precision": (hits, hits + false),
        "recall": (hits, hits + missed),
    }
    measured = {}
    for name, (numerator, denominator) in ratios.items():
        by_class = numerator / denominator.clamp(min=1)
        measured[f"{name}_macro"] = (by_class * kept).sum(0) / kept.sum(0).clamp(min=1)
        measured[f"{name}_micro"] = numerator.sum(0) / denominator.sum(0).clamp(min=1)
    return measured


def _average_precision(score: Tensor, present: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of precision × gain in recall down the ranking, and whether there are positives.

    Args:
        score: (N,); equal scores are one step of the ranking.
        present: (N,), bool.
        weights: (N, R).

    Returns:
        Both (R,), the second 0 or 1.
    """
    # The step (N,) of each item on the ranking of S distinct scores, best first; P steps have positives.
    steps, step = torch.unique(-score, return_inverse=True)
    rows = torch.unique(step[present])
    # Items and positives that each weighting gains from one step with positives to the next, (P, R).
    following = torch.searchsorted(rows, step)
    drawn = weights.new_zeros(len(rows) + 1, weights.shape[1]).index_add_(0, following, weights)[:-1]
    gained = torch.zeros_like(drawn).index_add_(0, following[present], weights[present])
    found = gained.cumsum(0)
    precision = found / drawn.cumsum(0).clamp(min=1)
    # Elsewhere nothing is gained; added with these zeros, sums are rounded alike whatever the number of positives.
    terms = weights.new_zeros(len(steps), weights.shape[1])
    terms[rows] = precision * gained
    positives = found[-1]
    return terms.sum(0) / positives.clamp(min=1), (positives > 0).float()


def _spearman(predicted: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return Pearson's correlation of the ranks, 0 where a side is constant: (N,), (N,), (N, R) -> (R,)."""
    centre = (weights.sum(0) + 1) / 2
    x, y = (_weighted_ranks(values, weights) - centre for values in (predicted, truth))
    spread = ((weights * x * x).sum(0) * (weights * y * y).sum(0)).sqrt()
    return (weights * x * y).sum(0) / spread.clamp(min=1e-12)


def _weighted_ranks(values: Tensor, weights: Tensor) -> Tensor:
    """Return ranks from 1 of items repeated by weight; ties share their mean: (N,), (N, R) -> (N, R)."""
    steps, step = torch.unique(values, return_inverse=True)
    drawn = weights.new_zeros(len(steps), weights.shape[1]).index_add_(0, step, weights)
    return (drawn.cumsum(0) - (drawn - 1) / 2)[step]


def _weighted_squares(values: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of squared distances from each column's weighted mean: (N, D), (N, R) -> (D, R)."""
    values, n_items = values - values.mean(0), weights.sum(0).clamp(min=1)
    squares = values.square().T @ weights - (values.T @ weights).square() / n_items
    return torch.where(squares > 1e-12 * n_items, squares, 0.0)
