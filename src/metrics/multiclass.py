"""Metrics of items that belong to one class each."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)


def evaluate_multiclass(probabilities: Tensor, targets: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """Score classes, the one with the highest probability being the answer (the first of equals).

    0/0 counts as 0. A class that is neither among the targets nor among the answers is left out of the macro
    averages, as in scikit-learn without `labels=`.

    Args:
        probabilities: (N, C), or any scores that rank the classes.
        targets: (N,), integers in 0..C−1.
        classes: the C names.

    Returns:
        `f1_macro`, `f1_micro` (the same as accuracy here), `precision_macro`, `recall_macro`, `accuracy`, and
        `f1_by_class`, a dictionary; each number in 0..1.
    """
    answers, truth = probabilities.detach().cpu().argmax(1), targets.cpu().long()
    options: dict[str, Any] = {"num_classes": len(classes), "validate_args": False}
    measured = {
        "f1_macro": multiclass_f1_score(answers, truth, average="macro", **options),
        "f1_micro": multiclass_f1_score(answers, truth, average="micro", **options),
        "precision_macro": multiclass_precision(answers, truth, average="macro", **options),
        "recall_macro": multiclass_recall(answers, truth, average="macro", **options),
        "accuracy": multiclass_accuracy(answers, truth, average="micro", **options),
    }
    f1 = multiclass_f1_score(answers, truth, average="none", **options).tolist()
    by_class = dict(zip(classes, f1, strict=True))
    return {name: float(value) for name, value in measured.items()} | {"f1_by_class": by_class}
