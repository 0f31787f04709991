"""Naive baselines that every result is compared with: fitted, tuned and tested on the same items."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import Array, BaselineData
from src.metrics.fitted_baselines import (
    MOST_BOOSTED,
    Scores,
    best,
    boosted_labels,
    boosted_numbers,
    linear_labels,
    linear_numbers,
    thinned,
)
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.multilabel import evaluate_multilabel
from src.metrics.probabilities import as_probabilities
from src.metrics.regression import evaluate_regression
from src.metrics.threshold import tune_threshold


def baselines_multilabel(data: BaselineData) -> dict[str, dict[str, Any]]:
    """Measure the baselines for labels, with a threshold that is tuned on validation.

    Args:
        data: with targets (N, C), 0 or 1.

    Returns:
        By name, the metrics of `evaluate_multilabel` on test, `threshold`, and the metrics on validation as `val_…`.
        `class_prior` predicts each class with its frequency, `majority` the labels that more than half of the
        training items have. `linear` is a logistic regression per class on `band_statistics`, and `boosting` are
        gradient-boosted trees on the same; both are fitted to at most `MOST_ITEMS` training items, and their options
        are those with the best macro-F1 on validation (see `src.metrics.fitted_baselines`).
    """

    def value(scores: Array) -> float:
        return _labels_f1(scores, data)

    prior = data.train.targets.mean(0, dtype=np.float64)
    constants = {"class_prior": prior, "majority": prior > 0.5}
    sizes = len(data.val.targets), len(data.test.targets)
    scores = {name: [np.tile(p, (n, 1)) for n in sizes] for name, p in constants.items()}
    train, *evaluated = _standardised(data)
    scores |= _best_of_labels(train, data.train.targets, evaluated, value)
    measured = {}
    for name, (val, test) in scores.items():
        val_scores, val_truth = _tensor(val), _tensor(data.val.targets)
        threshold = tune_threshold(val_scores, val_truth)
        on_val = evaluate_multilabel(val_scores, val_truth, threshold, data.names)
        on_test = evaluate_multilabel(_tensor(test), _tensor(data.test.targets), threshold, data.names)
        measured[name] = on_test | {"threshold": threshold} | _of_validation(on_val)
    return measured


def baselines_multiclass(data: BaselineData, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Measure the baselines for classes.

    Args:
        data: with targets (N,), integers in 0..C−1.
        seed: of `class_prior`'s draws.

    Returns:
        By name, the metrics of `evaluate_multiclass` on test, and those on validation as `val_…`. `class_prior` draws
        each item's class by its frequency in training, `majority` always predicts the most frequent class, and
        `linear` and `boosting` the class that they score highest, one against the rest; see `baselines_multilabel`.
        With more than `MOST_BOOSTED` classes there is no `boosting`.
    """

    def value(scores: Array) -> float:
        on_val = evaluate_multiclass(_tensor(scores), _tensor(data.val.targets), data.names)
        return float(on_val["f1_macro"])

    n_classes = len(data.names)
    prior = np.bincount(data.train.targets, minlength=n_classes) / len(data.train.targets)
    generator = np.random.default_rng(seed)
    one_hot = np.eye(n_classes)
    sizes = len(data.val.targets), len(data.test.targets)
    train, *evaluated = _standardised(data)
    scores = {
        "class_prior": [one_hot[generator.choice(n_classes, n, p=prior)] for n in sizes],
        "majority": [np.tile(one_hot[prior.argmax()], (n, 1)) for n in sizes],
    } | _best_of_labels(train, one_hot[data.train.targets], evaluated, value)
    measured = {}
    for name, (val, test) in scores.items():
        on_val = evaluate_multiclass(_tensor(val), _tensor(data.val.targets), data.names)
        on_test = evaluate_multiclass(_tensor(test), _tensor(data.test.targets), data.names)
        measured[name] = on_test | _of_validation(on_val)
    return measured


def baselines_regression(data: BaselineData) -> dict[str, dict[str, Any]]:
    """Measure the baselines for regression.

    Args:
        data: with targets (N, C), numbers.

    Returns:
        By name, the metrics of `evaluate_regression` on test, and those on validation as `val_…`. `mean` predicts the
        training mean, `linear` is a ridge regression on `band_statistics`, and `boosting` are gradient-boosted trees on
        the same; both are fitted to at most `MOST_ITEMS` training items, and their options are those with the greatest
        Spearman correlation on validation (see `src.metrics.fitted_baselines`).
    """

    def value(scores: Array) -> float:
        on_val = evaluate_regression(_tensor(scores), _tensor(data.val.targets), data.names)
        return float(on_val["spearman"])

    train, *evaluated = _standardised(data)
    fitted = *thinned(train, data.train.targets), evaluated
    mean = data.train.targets.mean(0, dtype=np.float64)
    predictions = {
        "mean": [np.tile(mean, (len(split), 1)) for split in evaluated],
        "linear": best(linear_numbers(*fitted), value),
        "boosting": best(boosted_numbers(*fitted), value),
    }
    measured = {}
    for name, (val, test) in predictions.items():
        on_val = evaluate_regression(_tensor(val), _tensor(data.val.targets), data.names)
        on_test = evaluate_regression(_tensor(test), _tensor(data.test.targets), data.names)
        measured[name] = on_test | _of_validation(on_val)
    return measured


def _standardised(data: BaselineData) -> list[Array]:
    """Return the band statistics of each split, scaled to mean 0 and standard deviation 1 in training."""
    features = [split.features for split in (data.train, data.val, data.test)]
    statistics = [each if each.ndim == 2 else band_statistics(each) for each in features]
    scaler = StandardScaler().fit(statistics[0])
    return [scaler.transform(each) for each in statistics]


def _best_of_labels(
    train: Array, targets: Array, evaluated: Sequence[Array], value: Callable[[Array], float]
) -> dict[str, Scores]:
    """Return the scores of the fitted baselines on each evaluated split, with the options best on the first."""
    fitted = *thinned(train, targets), evaluated
    found = {"linear": best(linear_labels(*fitted), value)}
    if targets.shape[1] <= MOST_BOOSTED:
        found["boosting"] = best(boosted_labels(*fitted), value)
    return found


def _labels_f1(scores: Array, data: BaselineData) -> float:
    """Return the macro-F1 of scores on validation, at the threshold that is tuned there."""
    threshold = tune_threshold(_tensor(scores), _tensor(data.val.targets))
    answers, truth = as_probabilities(_tensor(scores)) > threshold, _tensor(data.val.targets).bool()
    return float((2 * (answers & truth).sum(0) / (answers.sum(0) + truth.sum(0)).clamp(min=1)).mean())


def _of_validation(metrics: dict[str, Any]) -> dict[str, float]:
    return {f"val_{name}": value for name, value in metrics.items() if isinstance(value, float)}


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(values))
