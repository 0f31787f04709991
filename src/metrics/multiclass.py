"""Metrics of items that belong to exactly one class."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from src.metrics.further import further_metrics

SCORES = {"f1": multiclass_f1_score, "precision": multiclass_precision, "recall": multiclass_recall}


def evaluate_multiclass(probabilities: Tensor, targets: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """Score classes; the predicted class is the one with the highest probability, the first of equal ones.

    0/0 counts as 0. A class that is neither among the targets nor predicted is left out of the macro
    averages, as in scikit-learn without `labels=`.

    Args:
        probabilities: (N, C), or any scores that rank the classes.
        targets: (N,), integers in 0..C−1.
        classes: the C names.

    Returns:
        Scalars in 0..1: `f1_macro`, `precision_macro`, `recall_macro`, their `…_micro` (all three equal to the accuracy
        here) and `accuracy`; tables by class: `f1_by_class`, `precision_by_class`, `recall_by_class`, and
        `confusion`, the number of items by true class, then by predicted class.
    """
    answers, truth = probabilities.detach().cpu().argmax(1), targets.cpu().long()
    options: dict[str, Any] = {"num_classes": len(classes), "validate_args": False}
    measured: dict[str, Any] = {}
    for name, score in SCORES.items():
        for average in ("macro", "micro"):
            measured[f"{name}_{average}"] = float(score(answers, truth, average=average, **options))
        by_class = score(answers, truth, average="none", **options).tolist()
        measured[f"{name}_by_class"] = dict(zip(classes, by_class, strict=True))
    measured["accuracy"] = float(multiclass_accuracy(answers, truth, average="micro", **options))
    counts = multiclass_confusion_matrix(answers, truth, **options).tolist()
    rows = [dict(zip(classes, row, strict=True)) for row in counts]
    measured |= further_metrics("multiclass", probabilities.detach().cpu(), truth)
    return measured | {"confusion": dict(zip(classes, rows, strict=True))}
