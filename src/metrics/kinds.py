"""The kinds of targets and how each is evaluated: one table instead of branches in every module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.metrics.baseline_data import BaselineData, Split
from src.metrics.baselines import baselines_multiclass, baselines_multilabel, baselines_regression
from src.metrics.compact import (
    Arrays,
    Kept,
    compact_classes,
    compact_labels,
    compact_numbers,
    compact_rolls,
    measures_of_classes,
    measures_of_labels,
    measures_of_numbers,
    measures_of_rolls,
)
from src.metrics.further import BASELINES, METRICS
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.multilabel import evaluate_multilabel
from src.metrics.probabilities import as_probabilities, logits_of_sigmoid, logits_of_softmax
from src.metrics.regression import evaluate_regression
from src.metrics.roll_baselines import baselines_rolls
from src.metrics.rolls import (
    evaluate_rolls,
    frames_of,
    join_frames,
    n_notes,
    totals_by_piece,
    tune_threshold_rolls,
)
from src.metrics.threshold import tune_threshold
from src.metrics.weighted import (
    Measures,
    weighted_multiclass,
    weighted_multilabel,
    weighted_regression,
    weighted_rolls,
)

Metrics = dict[str, Any]


def _truth(targets: Tensor) -> Tensor:
    return targets


def _join(targets: Sequence[Tensor]) -> Tensor:
    return torch.cat([of_batch.cpu() for of_batch in targets])


def _targets(split: Split) -> Tensor:
    return torch.from_numpy(np.array(split.targets))


def _no_threshold(_outputs: Tensor, _targets: Tensor, _names: Sequence[str]) -> float:
    return 0.5


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(-1)


def _numbers(outputs: Tensor) -> Tensor:
    return outputs


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of target is evaluated. Targets are a tensor (N, C) or (N,), or `src.metrics.rolls.Frames`.

    Args:
        objectives: validation metrics that can be the objective; the first is the default.
        outputs: maps logits (N, C) to probabilities or predictions (N, C).
        inverse: maps outputs back to logits.
        evaluate: maps outputs, targets, threshold and the names of the C columns to metrics; for labels the threshold
            may be a tensor (C,).
        weighted: maps the same arguments to the metrics of weighted items, of rolls of weighted pieces.
        compact: maps the same arguments to the arrays that are kept of them.
        kept: maps these arrays, threshold and names to the metrics of weighted items again.
        baselines: maps the splits of a data set to metrics by baseline.
        tune: maps outputs, targets and names on validation to a decision threshold.
        cross_fits: whether validation figures are at thresholds that are tuned on the other half of its groups.
        truth: maps targets to the tensor that a loss compares logits with.
        join: concatenates the targets of batches.
        targets: maps the arrays of a split to targets.
    """

    objectives: tuple[str, ...]
    outputs: Callable[[Tensor], Tensor]
    evaluate: Callable[[Tensor, Any, Any, Sequence[str]], Metrics]
    weighted: Callable[[Tensor, Any, Any, Sequence[str]], Measures]
    compact: Callable[[Tensor, Any, Any, Sequence[str]], Arrays]
    kept: Callable[[Kept, float, Sequence[str]], Measures]
    baselines: Callable[[BaselineData], Mapping[str, Metrics]]
    tune: Callable[[Tensor, Any, Sequence[str]], float] = _no_threshold
    cross_fits: bool = False
    inverse: Callable[[Tensor], Tensor] = logits_of_sigmoid
    truth: Callable[[Any], Tensor] = _truth
    join: Callable[[Sequence[Any]], Any] = _join
    targets: Callable[[Split], Any] = _targets


KINDS = {
    "multilabel": Kind(
        objectives=(
            "f1_macro",
            "f1_micro",
            "precision_macro",
            "precision_micro",
            "recall_macro",
            "recall_micro",
            "average_precision",
            "label_ranking_average_precision",
            "subset_accuracy",
            "top_1",
            "top_n_recall",
            "top_n_exact",
            "loss",
        ),
        outputs=torch.sigmoid,
        evaluate=evaluate_multilabel,
        weighted=lambda outputs, targets, threshold, _: weighted_multilabel(
            as_probabilities(outputs), targets.cpu().bool(), threshold
        ),
        compact=compact_labels,
        kept=measures_of_labels,
        baselines=baselines_multilabel,
        tune=lambda outputs, targets, _: tune_threshold(outputs, targets),
        cross_fits=True,
    ),
    "multiclass": Kind(
        objectives=(
            "f1_macro",
            "f1_micro",
            "precision_macro",
            "precision_micro",
            "recall_macro",
            "recall_micro",
            "accuracy",
            "loss",
        ),
        outputs=_softmax,
        inverse=logits_of_softmax,
        evaluate=lambda outputs, targets, _, names: evaluate_multiclass(outputs, targets, names),
        weighted=lambda outputs, targets, _, __: weighted_multiclass(
            outputs.detach().cpu().argmax(1), targets.cpu().long(), outputs.shape[1]
        ),
        compact=compact_classes,
        kept=measures_of_classes,
        baselines=baselines_multiclass,
    ),
    "regression": Kind(
        objectives=("spearman", "mse", "mae", "r2", "loss"),
        outputs=torch.Tensor.float,
        inverse=_numbers,
        evaluate=lambda outputs, targets, _, names: evaluate_regression(outputs, targets, names),
        weighted=lambda outputs, targets, _, names: weighted_regression(
            outputs.detach().double().cpu(), targets.double().cpu(), names
        ),
        compact=compact_numbers,
        kept=measures_of_numbers,
        baselines=baselines_regression,
    ),
    "rolls": Kind(
        objectives=(
            "nll",
            "f1_micro",
            "f1_macro",
            "precision_micro",
            "recall_micro",
            "accuracy",
            "onset_f1",
            "loss",
        ),
        outputs=lambda logits: torch.sigmoid(logits.double()),
        evaluate=lambda outputs, frames, threshold, names: evaluate_rolls(
            outputs, frames, threshold, n_notes(names)
        ),
        weighted=lambda outputs, frames, threshold, names: weighted_rolls(
            totals_by_piece(outputs, frames, threshold, n_notes(names))
        ),
        compact=compact_rolls,
        kept=measures_of_rolls,
        baselines=baselines_rolls,
        tune=lambda outputs, frames, names: tune_threshold_rolls(outputs, frames, n_notes(names)),
        truth=lambda frames: frames.now,
        join=join_frames,
        targets=lambda split: frames_of(split.features, split.targets),
    ),
}

MATTERS = {
    "spearman": 0.01,
    "r2": 0.01,
    "nll": 0.01,
    "nll_onsets": 0.01,
    "loss": 0.01,
    "mse": 0.01,
    "mae": 0.01,
}
"""Smallest differences worth a look, of metrics that are no shares; others are shares of 0..1, with `SHARE_MATTERS`."""

SHARE_MATTERS = 0.005
"""Half a percentage point: about what the choice of the epoch moves a score."""

UNLIKE_ANY_LOSS = "f1_micro"
"""A metric of labels, classes and rolls that no loss of this project minimises."""

LOWER_IS_BETTER = ("loss", "nll", "nll_onsets", "mse", "mae")
"""Metrics whose smallest value is best."""


def objectives(target: str) -> tuple[str, ...]:
    """Return the validation metrics that can be the objective for a kind of targets, the default first."""
    return *KINDS[target].objectives, *METRICS.get(target, {})


def matters(metric: str) -> float:
    """Return the smallest difference of a metric that is worth a look, in its unit."""
    return MATTERS.get(metric, SHARE_MATTERS)


def cautions(metric: str) -> dict[str, str]:
    """Return, by group of options, why its choices are not to be ranked by a metric; nothing where they can be."""
    if metric not in ("nll", "nll_onsets"):
        return {}
    told = f"Losses are compared by {metric}, which only some of them minimise"
    return {"loss": f"{told}: objective={UNLIKE_ANY_LOSS} is one that none does."}


def direction(metric: str) -> str:
    """Return whether the best value of a metric is its `min` or `max`."""
    for further in METRICS.values():
        if metric in further:
            return further[metric].best
    return "min" if metric in LOWER_IS_BETTER or metric.endswith("_distance") else "max"


def further_baselines(target: str, data: BaselineData) -> dict[str, Metrics]:
    """Measure the registered baselines of a kind of targets, with a threshold tuned on validation.

    Args:
        target: the kind.
        data: its splits.

    Returns:
        By name, the metrics on test, `threshold`, and the scalar metrics on validation as `val_…`.
    """
    kind, names, measured = KINDS[target], data.names, {}
    val, test = kind.targets(data.val), kind.targets(data.test)
    for name, answer in BASELINES.get(target, {}).items():
        on_val, on_test = answer(data)
        threshold = kind.tune(on_val, val, names)
        of_val = scalars(kind.evaluate(on_val, val, threshold, names))
        of_test = kind.evaluate(on_test, test, threshold, names)
        measured[name] = {**of_test, "threshold": threshold, **{f"val_{k}": v for k, v in of_val.items()}}
    return measured


def scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the scalar metrics, without tables."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}
