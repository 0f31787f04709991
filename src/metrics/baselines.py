"""Naive baselines that every result is compared with: fitted, tuned and tested on the same items."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import Array, BaselineData
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.multilabel import evaluate_multilabel
from src.metrics.regression import evaluate_regression
from src.metrics.threshold import tune_threshold

MOST_ITEMS = 20_000
"""Training items that a logistic regression is fitted to; where there are more, every n-th."""

RIDGE_ALPHAS = np.logspace(0, 4, 9)
"""Penalties that the ridge regression chooses from by leave-one-out error on the training split."""


def baselines_multilabel(data: BaselineData) -> dict[str, dict[str, Any]]:
    """Measure the baselines for labels, with a threshold that is tuned on validation.

    Args:
        data: with targets (N, C), 0 or 1.

    Returns:
        By name, the metrics of `evaluate_multilabel` on test, `threshold`, and the metrics on validation as `val_…`.
        `class_prior` predicts each class with its frequency, `majority` the labels that more than half of the
        training items have, and `linear` is a logistic regression per class on `band_statistics`, fitted to at most
        `MOST_ITEMS` training items.
    """
    prior = data.train.targets.mean(0, dtype=np.float64)
    constants = {"class_prior": prior, "majority": prior > 0.5}
    sizes = len(data.val.targets), len(data.test.targets)
    scores = {name: [np.tile(p, (n, 1)) for n in sizes] for name, p in constants.items()}
    train, *evaluated = _standardised(data)
    scores["linear"] = _label_probabilities(train, data.train.targets, evaluated)
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
        `linear` the class that one-against-rest logistic regressions on `band_statistics` score highest.
    """
    n_classes = len(data.names)
    prior = np.bincount(data.train.targets, minlength=n_classes) / len(data.train.targets)
    generator = np.random.default_rng(seed)
    one_hot = np.eye(n_classes)
    sizes = len(data.val.targets), len(data.test.targets)
    train, *evaluated = _standardised(data)
    scores = {
        "class_prior": [one_hot[generator.choice(n_classes, n, p=prior)] for n in sizes],
        "majority": [np.tile(one_hot[prior.argmax()], (n, 1)) for n in sizes],
        "linear": _label_probabilities(train, one_hot[data.train.targets], evaluated),
    }
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
        training mean, `linear` is a ridge regression on `band_statistics`.
    """
    train, *evaluated = _standardised(data)
    ridge = RidgeCV(RIDGE_ALPHAS).fit(train, data.train.targets)
    mean = data.train.targets.mean(0, dtype=np.float64)
    predictions = {
        "mean": [np.tile(mean, (len(split), 1)) for split in evaluated],
        "linear": [ridge.predict(split).reshape(len(split), -1) for split in evaluated],
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


def _label_probabilities(train: Array, targets: Array, evaluated: Sequence[Array]) -> list[Array]:
    """Fit a logistic regression per label, and return its probabilities (N, C) for each evaluated split.

    A label that all or none of the training items have keeps its frequency.
    """
    probabilities = [np.tile(targets.mean(0, dtype=np.float64), (len(split), 1)) for split in evaluated]
    step = -(-len(train) // MOST_ITEMS)
    train, targets = train[::step], targets[::step]
    for label in np.flatnonzero(np.ptp(targets.astype(np.int8), axis=0)):
        model = LogisticRegression(solver="newton-cholesky").fit(train, targets[:, label].astype(int))
        for split, columns in zip(evaluated, probabilities, strict=True):
            columns[:, label] = model.predict_proba(split)[:, 1]
    return probabilities


def _of_validation(metrics: dict[str, Any]) -> dict[str, float]:
    return {f"val_{name}": value for name, value in metrics.items() if isinstance(value, float)}


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(values))
