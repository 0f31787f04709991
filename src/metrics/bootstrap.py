"""Percentile bootstrap intervals over test items, computed for all resamples at once.

A resample is a weight for each item, the number of times it was drawn (Efron and Tibshirani, 'An Introduction to the
Bootstrap', 1993, chapter 13). Every metric here is computed from weighted sums over items, which gives exactly the
metric of the repeated items. The threshold stays fixed, even where it was chosen from the test items' probabilities
(PCut): the interval reflects the choice of test items only, not training.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from src.metrics import top_n
from src.metrics.probabilities import as_probabilities
from src.metrics.threshold import Threshold

Intervals = dict[str, tuple[float, float]]

COVERAGE = 0.95
"""Share of the resamples that lie within an interval."""

BLOCK = 2**22
"""Weights held at a time; with more items a block has fewer resamples, not more memory."""


def intervals_multilabel(
    probabilities: Tensor, targets: Tensor, threshold: Threshold, *, resamples: int = 1000, seed: int = 0
) -> Intervals:
    """Return 95 % intervals of all scalar metrics of `evaluate_multilabel`.

    Args:
        probabilities: (N, C), in 0..1.
        targets: (N, C), 0 or 1 of any type.
        threshold: in 0..1, one for all or (C,).
        resamples: how many; from about 1000 on the ends of the interval are stable.
        seed: of the draws; the same seed and N give the same draws.

    Returns:
        (low, high) by metric, without the tables.
    """
    scores, truth = as_probabilities(probabilities), targets.cpu().bool()
    answers, n_classes = scores > threshold, truth.shape[1]
    exact = (answers == truth).all(1, keepdim=True)
    counted = torch.cat([answers & truth, answers & ~truth, ~answers & truth, exact], dim=1).float().T
    ranked = top_n.summands(scores, truth)

    def measure(weights: Tensor) -> dict[str, Tensor]:
        hits, false, missed, exact = torch.split(counted @ weights, [n_classes] * 3 + [1])
        measured = _precision_recall_f1(hits, false, missed, kept=torch.ones_like(hits))
        measured["average_precision"] = _mean_average_precision(scores, truth, weights)
        measured |= top_n.metrics_of_sums({name: values @ weights for name, values in ranked.items()})
        return measured | {"subset_accuracy": exact[0] / len(scores)}

    return percentile_intervals(measure, len(scores), resamples, seed)


def intervals_multiclass(
    probabilities: Tensor, targets: Tensor, *, resamples: int = 1000, seed: int = 0
) -> Intervals:
    """Return 95 % intervals of all scalar metrics of `evaluate_multiclass`.

    A class that is neither target nor answer in a resample is left out of its macro averages.

    Args:
        probabilities: (N, C).
        targets: (N,), integers in 0..C−1.
        resamples: how many.
        seed: of the draws.

    Returns:
        (low, high) by metric, without the tables.
    """
    n_classes = probabilities.shape[1]
    answers = torch.nn.functional.one_hot(probabilities.cpu().argmax(1), n_classes).bool()
    truth = torch.nn.functional.one_hot(targets.cpu().long(), n_classes).bool()
    counted = torch.cat([answers & truth, answers & ~truth, ~answers & truth], dim=1).float().T

    def measure(weights: Tensor) -> dict[str, Tensor]:
        hits, false, missed = torch.split(counted @ weights, n_classes)
        measured = _precision_recall_f1(hits, false, missed, kept=(hits + false + missed > 0).float())
        return measured | {"accuracy": measured["recall_micro"]}

    return percentile_intervals(measure, len(answers), resamples, seed)


def intervals_regression(
    predictions: Tensor, targets: Tensor, names: Sequence[str], *, resamples: int = 1000, seed: int = 0
) -> Intervals:
    """Return 95 % intervals of all scalar metrics of `evaluate_regression`, and of the correlation of each axis.

    Args:
        predictions: (N, D), N ≥ 2.
        targets: (N, D).
        names: the D names of the axes.
        resamples: how many.
        seed: of the draws.

    Returns:
        (low, high) by metric, those of `spearman_by_axis` as `spearman_by_axis/<axis>`.
    """
    predicted, truth = predictions.detach().double().cpu(), targets.double().cpu()
    error, n_items = predicted - truth, len(truth)

    def measure(weights: Tensor) -> dict[str, Tensor]:
        weights = weights.double()
        squares = error.square().T @ weights
        spread = _weighted_squares(truth, weights)
        r2 = torch.where(spread > 0, 1 - squares / spread.clamp(min=1e-30), 0.0)
        axes = zip(predicted.T, truth.T, strict=True)
        spearman = [_spearman(*axis, weights) for axis in axes]
        by_axis = {f"spearman_by_axis/{name}": value for name, value in zip(names, spearman, strict=True)}
        return by_axis | {
            "spearman": torch.stack(spearman).mean(0),
            "mse": squares.mean(0) / n_items,
            "mae": (error.abs().T @ weights).mean(0) / n_items,
            "r2": r2.mean(0),
        }

    return percentile_intervals(measure, n_items, resamples, seed)


def resample_weights(n_items: int, resamples: int, seed: int) -> Iterator[Tensor]:
    """Yield the number of times that each item is drawn in each resample.

    Args:
        n_items: N, the number of items, and of draws in a resample.
        resamples: R, in total.
        seed: of the draws.

    Yields:
        (N, r) float32 whole numbers, each column summing to N, in blocks of r ≤ R resamples.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // n_items)
    for start in range(0, resamples, rows):
        r = min(rows, resamples - start)
        drawn = generator.integers(n_items, size=(r, n_items)) * r + np.arange(r)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_items * r).reshape(n_items, r)
        yield torch.from_numpy(counts).float()


def percentile_intervals(
    measure: Callable[[Tensor], dict[str, Tensor]], n_items: int, resamples: int, seed: int
) -> Intervals:
    """Return 95 % intervals of metrics of weighted items.

    Args:
        measure: maps weights (n_items, R), the number of times that each item was drawn, to values (R,) by metric.
        n_items: N.
        resamples: total number, over all calls of `measure`.
        seed: of the draws.
    """
    blocks = [measure(weights) for weights in resample_weights(n_items, resamples, seed)]
    ends = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
    intervals = {}
    for name in blocks[0]:
        low, high = np.quantile(torch.cat([block[name] for block in blocks]).double().numpy(), ends)
        intervals[name] = (float(low), float(high))
    return intervals


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


def _mean_average_precision(scores: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return the mean over classes with positives in a resample: (N, C), (N, C), (N, R) -> (R,)."""
    total, kept = torch.zeros(weights.shape[1]), torch.zeros(weights.shape[1])
    for score, present in zip(scores.T, truth.T, strict=True):
        if present.any():
            precision, exists = _average_precision(score, present, weights)
            total, kept = total + precision, kept + exists
    return total / kept.clamp(min=1)


def _average_precision(score: Tensor, present: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of precision × gain in recall down the ranking, and whether there are positives.

    Args:
        score: (N,); equal scores are one step of the ranking.
        present: (N,), bool.
        weights: (N, R).

    Returns:
        Both (R,), the second 0 or 1.
    """
    # S distinct scores, best first, and the step (N,) of each item.
    steps, step = torch.unique(-score, return_inverse=True)
    # Items and positives that each resample has at each step, (S, R).
    drawn = weights.new_zeros(len(steps), weights.shape[1]).index_add_(0, step, weights)
    gained = torch.zeros_like(drawn).index_add_(0, step[present], weights[present])
    found = gained.cumsum(0)
    precision = found / drawn.cumsum(0).clamp(min=1)
    positives = found[-1]
    return (precision * gained).sum(0) / positives.clamp(min=1), (positives > 0).float()


def _spearman(predicted: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return Pearson's correlation of the ranks, 0 where a side is constant: (N,), (N,), (N, R) -> (R,)."""
    centre = (len(truth) + 1) / 2
    x, y = (_weighted_ranks(values, weights) - centre for values in (predicted, truth))
    spread = ((weights * x * x).sum(0) * (weights * y * y).sum(0)).sqrt()
    return (weights * x * y).sum(0) / spread.clamp(min=1e-12)


def _weighted_ranks(values: Tensor, weights: Tensor) -> Tensor:
    """Return ranks from 1 of items repeated by weight; ties share their mean: (N,), (N, R) -> (N, R)."""
    steps, step = torch.unique(values, return_inverse=True)
    drawn = weights.new_zeros(len(steps), weights.shape[1]).index_add_(0, step, weights)
    return (drawn.cumsum(0) - (drawn - 1) / 2)[step]


def _weighted_squares(values: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of squared distances from each column's mean: (N, D), (N, R) -> (D, R)."""
    values = values - values.mean(0)
    squares = values.square().T @ weights - (values.T @ weights).square() / len(values)
    return torch.where(squares > 1e-12 * len(values), squares, 0.0)
