"""The kinds of targets, and how each is scored: one place instead of a branch in every module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from src.metrics.baselines import baselines_multiclass, baselines_multilabel, baselines_regression
from src.metrics.bootstrap import intervals_multiclass, intervals_multilabel, intervals_regression
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.multilabel import evaluate_multilabel
from src.metrics.regression import evaluate_regression
from src.metrics.threshold import tune_threshold

Metrics = dict[str, Any]
Intervals = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Kind:
    """How one kind of target is scored.

    Args:
        objective: the validation metric that a person would choose by.
        outputs: from logits (N, C) to probabilities or predictions (N, C).
        tune: from outputs and targets of the validation part to a decision threshold.
        evaluate: from outputs, targets, threshold and names of the C columns to metrics.
        intervals: from outputs, targets and threshold to 95 % bootstrap intervals over items.
        baselines: from features and targets of train, val and test, and names, to metrics by baseline.
    """

    objective: str
    outputs: Callable[[Tensor], Tensor]
    tune: Callable[[Tensor, Tensor], float]
    evaluate: Callable[[Tensor, Tensor, float, Sequence[str]], Metrics]
    intervals: Callable[[Tensor, Tensor, float], Intervals]
    baselines: Callable[..., Mapping[str, Metrics]]


def _no_threshold(_outputs: Tensor, _targets: Tensor) -> float:
    return 0.5


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(-1)


KINDS = {
    "multilabel": Kind(
        "f1_macro",
        torch.sigmoid,
        tune_threshold,
        evaluate_multilabel,
        intervals_multilabel,
        baselines_multilabel,
    ),
    "multiclass": Kind(
        "f1_macro",
        _softmax,
        _no_threshold,
        lambda outputs, targets, _, names: evaluate_multiclass(outputs, targets, names),
        lambda outputs, targets, _: intervals_multiclass(outputs, targets),
        baselines_multiclass,
    ),
    "regression": Kind(
        "spearman",
        torch.Tensor.float,
        _no_threshold,
        lambda outputs, targets, _, names: evaluate_regression(outputs, targets, names),
        lambda outputs, targets, _: intervals_regression(outputs, targets),
        baselines_regression,
    ),
}

LOWER_IS_BETTER = ("loss", "nll", "mse", "mae")
"""Metrics of which the smallest value is the best."""


def direction(metric: str) -> str:
    """`min` or `max`."""
    return "min" if metric in LOWER_IS_BETTER else "max"


def scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The plain numbers among the metrics, without the tables by class."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}
