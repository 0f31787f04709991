"""Baselines fitted to band statistics, one linear and one not, with each option that validation chooses from."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from src.metrics.baseline_data import MOST_ITEMS, Array

MOST_BOOSTED = 64
"""Columns of targets up to which there is boosting, which with more would take many minutes."""

STRENGTHS = np.logspace(-3, 0, 4)
"""Inverse penalties C of the logistic regression."""

RIDGE_ALPHAS = np.logspace(0, 4, 9)
"""Penalties of the ridge regression."""

ROUNDS = (5, 10, 20)
"""Numbers of trees for each column."""

_TREES = {
    "max_iter": ROUNDS[-1],
    "learning_rate": 0.3,
    "max_leaf_nodes": 8,
    "max_bins": 63,
    "early_stopping": False,
    "random_state": 0,
}

Scores = list[Array]
"""For each evaluated split the scores of its items, (N, C)."""


def best(candidates: Iterable[Scores], value: Callable[[Array], float]) -> Scores:
    """Return the candidate with the greatest value on validation, the first of equally good ones.

    Args:
        candidates: scores on validation, then on other splits.
        value: of scores on validation, (N, C); the objective.
    """
    return max(candidates, key=lambda scores: value(scores[0]))


def thinned(train: Array, targets: Array) -> tuple[Array, Array]:
    """Return every n-th training item, so that there are at most `MOST_ITEMS`."""
    step = -(-len(train) // MOST_ITEMS)
    return train[::step], targets[::step]


def linear_labels(train: Array, targets: Array, evaluated: Sequence[Array]) -> Iterator[Scores]:
    """Yield the probabilities of a logistic regression per label, for each of `STRENGTHS`.

    A label that all or none of the training items have keeps its frequency.

    Args:
        train: (n, d), standardised.
        targets: (n, C), 0 or 1.
        evaluated: (N, d) each.
    """
    # From one strength to the next little changes, so each fit begins where the last one ended.
    models = {
        label: LogisticRegression(solver="newton-cholesky", tol=1e-3, warm_start=True)
        for label in _fitted(targets)
    }
    for strength in STRENGTHS:
        scores = _frequencies(targets, evaluated)
        for label, model in models.items():
            model.set_params(C=strength).fit(train, targets[:, label].astype(int))
            for split, columns in zip(evaluated, scores, strict=True):
                columns[:, label] = model.predict_proba(split)[:, 1]
        yield scores


def boosted_labels(train: Array, targets: Array, evaluated: Sequence[Array]) -> Iterator[Scores]:
    """Yield the probabilities of gradient-boosted trees per label (Friedman 2001), after each of `ROUNDS`.

    Args:
        train: see `linear_labels`, also for what becomes of labels that all or none have.
        targets: likewise.
        evaluated: likewise.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import

    scores = {rounds: _frequencies(targets, evaluated) for rounds in ROUNDS}
    for label in _fitted(targets):
        model = HistGradientBoostingClassifier(**_TREES).fit(train, targets[:, label].astype(int))
        for number, split in enumerate(evaluated):
            for rounds, answers in enumerate(model.staged_predict_proba(split), start=1):
                if rounds in scores:
                    scores[rounds][number][:, label] = answers[:, 1]
    yield from scores.values()


def linear_numbers(train: Array, targets: Array, evaluated: Sequence[Array]) -> Iterator[Scores]:
    """Yield the predictions of a ridge regression, for each of `RIDGE_ALPHAS`.

    Args:
        train: (n, d), standardised.
        targets: (n, C), numbers.
        evaluated: (N, d) each.
    """
    for alpha in RIDGE_ALPHAS:
        model = Ridge(alpha).fit(train, targets)
        yield [model.predict(split).reshape(len(split), -1) for split in evaluated]


def boosted_numbers(train: Array, targets: Array, evaluated: Sequence[Array]) -> Iterator[Scores]:
    """Yield the predictions of gradient-boosted trees per axis (Friedman 2001), after each of `ROUNDS`.

    Args:
        train: see `linear_numbers`.
        targets: likewise.
        evaluated: likewise.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor  # slow to import

    scores = {rounds: [np.zeros((len(split), targets.shape[1])) for split in evaluated] for rounds in ROUNDS}
    for axis in range(targets.shape[1]):
        model = HistGradientBoostingRegressor(**_TREES).fit(train, targets[:, axis])
        for number, split in enumerate(evaluated):
            for rounds, answers in enumerate(model.staged_predict(split), start=1):
                if rounds in scores:
                    scores[rounds][number][:, axis] = answers
    yield from scores.values()


def _fitted(targets: Array) -> list[int]:
    """Return the labels that some, but not all items have."""
    return [int(label) for label in np.flatnonzero(np.ptp(targets.astype(np.int8), axis=0))]


def _frequencies(targets: Array, evaluated: Sequence[Array]) -> Scores:
    return [np.tile(targets.mean(0, dtype=np.float64), (len(split), 1)) for split in evaluated]
