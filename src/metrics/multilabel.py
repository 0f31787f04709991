"""Metrics of items that have any number of labels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    multilabel_average_precision,
    multilabel_exact_match,
    multilabel_f1_score,
    multilabel_precision,
    multilabel_recall,
)

from src.metrics import top_n
from src.metrics.further import further_metrics
from src.metrics.label_confusion import label_confusion
from src.metrics.probabilities import as_probabilities
from src.metrics.threshold import Threshold


def evaluate_multilabel(
    probabilities: Tensor, targets: Tensor, threshold: Threshold, classes: Sequence[str]
) -> dict[str, Any]:
    """Score labels; those with a probability greater than the threshold are predicted.

    As in scikit-learn with `zero_division=0`: 0/0 counts as 0, and a class without positives and without
    predictions stays in the macro averages with 0. Average precision is undefined for a class
    without positives, which is left out of its mean (0 where no class is left).

    Args:
        probabilities: (N, C), in 0..1.
        targets: (N, C), 0 or 1 of any type.
        threshold: in 0..1, one for all or (C,).
        classes: the C names.

    Returns:
        `f1_macro`, `f1_micro`, `precision_macro`, `precision_micro`, `recall_macro`, `recall_micro`,
        `average_precision` (mean over classes), `subset_accuracy` (share of items with every label right),
        and, from the ranking of each item's classes, without a threshold: `top_1`,
        `label_ranking_average_precision`, `top_n_recall` and `top_n_exact` (see
        `src.metrics.top_n.metrics_of_sums`); each number in 0..1. Tables: `f1_by_class`,
        `label_confusion` (see there), and `right_of_n` and `top_n_recall_by_class` (see `src.metrics.top_n.tables`).
    """
    scores, truth = as_probabilities(probabilities), targets.cpu().long()
    answers = (scores > threshold).long()
    options: dict[str, Any] = {"num_labels": len(classes), "validate_args": False}
    measured: dict[str, Any] = {
        "f1_macro": multilabel_f1_score(answers, truth, average="macro", **options),
        "average_precision": _mean_average_precision(scores, truth),
        "subset_accuracy": multilabel_exact_match(answers, truth, **options),
    }
    for average in ("macro", "micro"):
        measured[f"f1_{average}"] = multilabel_f1_score(answers, truth, average=average, **options)
        measured[f"precision_{average}"] = multilabel_precision(answers, truth, average=average, **options)
        measured[f"recall_{average}"] = multilabel_recall(answers, truth, average=average, **options)
    sums = {name: values.sum() for name, values in top_n.summands(scores, truth.bool()).items()}
    measured |= top_n.metrics_of_sums(sums)
    f1 = multilabel_f1_score(answers, truth, average="none", **options).reshape(-1).tolist()
    by_class = {"f1_by_class": dict(zip(classes, f1, strict=True))}
    numbers = {name: float(value) for name, value in measured.items()}
    numbers |= further_metrics("multilabel", scores, truth, threshold)
    confused = {"label_confusion": label_confusion(answers.bool(), truth.bool(), classes)}
    return numbers | by_class | confused | top_n.tables(scores, truth.bool(), classes)


def _mean_average_precision(scores: Tensor, truth: Tensor) -> Tensor:
    kept = truth.any(0)
    n_kept = int(kept.sum())
    if n_kept == 0:
        return torch.tensor(0.0)
    return multilabel_average_precision(
        scores[:, kept], truth[:, kept], num_labels=n_kept, average="macro", validate_args=False
    )
