"""Naive baselines, beside which every result stands: fitted, tuned and tested on the same items as it."""

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
"""Training items that a logistic regression is fitted to; of more, every n-th."""

RIDGE_ALPHAS = np.logspace(0, 4, 9)
"""Penalties that the ridge regression chooses from by leave-one-out error on the training part."""


def baselines_multilabel(data: BaselineData) -> dict[str, dict[str, Any]]:
    """Baselines for labels: the threshold is tuned on validation, the metrics are those of the test part.

    Args:
        data: of targets (N, C), 0 or 1.

    Returns:
        By name, the metrics of `evaluate_multilabel`, `threshold`, and the numbers on validation as `val_…`.
        `class_prior` gives every item each class's frequency, `majority` the labels that more than half of the
        training items have, `linear` the answer of a logistic regression a class on `band_statistics`, fitted to at
        most `MOST_ITEMS` training items.
    """
    prior = data.train.targets.mean(0, dtype=np.float64)
    constants = {"class_prior": prior, "majority": prior > 0.5}
    sizes = len(data.val.targets), len(data.test.targets)
    scores = {name: [np.tile(p, (n, 1)) for n in sizes] for name, p in constants.items()}
    train, *parts = _standardised(data)
    scores["linear"] = _label_probabilities(train, data.train.targets, parts)
    measured = {}
    for name, (val, test) in scores.items():
        val_scores, val_truth = _tensor(val), _tensor(data.val.targets)
        threshold = tune_threshold(val_scores, val_truth)
        on_val = evaluate_multilabel(val_scores, val_truth, threshold, data.names)
        on_test = evaluate_multilabel(_tensor(test), _tensor(data.test.targets), threshold, data.names)
        measured[name] = on_test | {"threshold": threshold} | _of_validation(on_val)
    return measured


def baselines_multiclass(data: BaselineData, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Baselines for classes.

    Args:
        data: of targets (N,), integers in 0..C−1.
        seed: of `class_prior`'s draws.

    Returns:
        By name, the metrics of `evaluate_multiclass` on the test part, and the numbers on validation as
        `val_…`. `class_prior` draws each item's class by its frequency in training, `majority` always answers
        the most frequent one, `linear` the class that a logistic regression against the rest on
        `band_statistics` scores highest.
    """
    n_classes = len(data.names)
    prior = np.bincount(data.train.targets, minlength=n_classes) / len(data.train.targets)
    generator = np.random.default_rng(seed)
    one_hot = np.eye(n_classes)
    sizes = len(data.val.targets), len(data.test.targets)
    train, *parts = _standardised(data)
    scores = {
        "class_prior": [one_hot[generator.choice(n_classes, n, p=prior)] for n in sizes],
        "majority": [np.tile(one_hot[prior.argmax()], (n, 1)) for n in sizes],
        "linear": _label_probabilities(train, one_hot[data.train.targets], parts),
    }
    measured = {}
    for name, (val, test) in scores.items():
        on_val = evaluate_multiclass(_tensor(val), _tensor(data.val.targets), data.names)
        on_test = evaluate_multiclass(_tensor(test), _tensor(data.test.targets), data.names)
        measured[name] = on_test | _of_validation(on_val)
    return measured


def baselines_regression(data: BaselineData) -> dict[str, dict[str, Any]]:
    """Baselines for numbers.

    Args:
        data: of targets (N, C), numbers.

    Returns:
        By name, the metrics of `evaluate_regression` on the test part, and the numbers on validation as
        `val_…`. `mean` answers the training mean, `linear` is a ridge regression on `band_statistics`.
    """
    train, *parts = _standardised(data)
    ridge = RidgeCV(RIDGE_ALPHAS).fit(train, data.train.targets)
    mean = data.train.targets.mean(0, dtype=np.float64)
    answers = {
        "mean": [np.tile(mean, (len(part), 1)) for part in parts],
        "linear": [ridge.predict(part).reshape(len(part), -1) for part in parts],
    }
    measured = {}
    for name, (val, test) in answers.items():
        on_val = evaluate_regression(_tensor(val), _tensor(data.val.targets), data.names)
        on_test = evaluate_regression(_tensor(test), _tensor(data.test.targets), data.names)
        measured[name] = on_test | _of_validation(on_val)
    return measured


def _standardised(data: BaselineData) -> list[Array]:
    """Return the band statistics of each split, with mean 0 and standard deviation 1 in training."""
    features = [split.features for split in (data.train, data.val, data.test)]
    statistics = [each if each.ndim == 2 else band_statistics(each) for each in features]
    scaler = StandardScaler().fit(statistics[0])
    return [scaler.transform(each) for each in statistics]


def _label_probabilities(train: Array, targets: Array, parts: Sequence[Array]) -> list[Array]:
    probabilities = [np.tile(targets.mean(0, dtype=np.float64), (len(part), 1)) for part in parts]
    step = -(-len(train) // MOST_ITEMS)
    train, targets = train[::step], targets[::step]
    for label in np.flatnonzero(np.ptp(targets.astype(np.int8), axis=0)):
        model = LogisticRegression(solver="newton-cholesky").fit(train, targets[:, label].astype(int))
        for part, columns in zip(parts, probabilities, strict=True):
            columns[:, label] = model.predict_proba(part)[:, 1]
    return probabilities


def _of_validation(metrics: dict[str, Any]) -> dict[str, float]:
    return {f"val_{name}": value for name, value in metrics.items() if isinstance(value, float)}


def _tensor(values: Array) -> torch.Tensor:
    return torch.from_numpy(np.array(values))
