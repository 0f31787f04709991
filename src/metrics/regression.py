"""Metrics of regression: items with one or several numbers as targets."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.regression import (
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    spearman_corrcoef,
)

from src.metrics.further import further_metrics


def evaluate_regression(predictions: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Score predicted numbers, axis by axis.

    Args:
        predictions: (N, D), N ≥ 2.
        targets: (N, D).
        names: the D names of the axes.

    Returns:
        `spearman` (rank correlation in −1..1, mean over axes; undefined for an axis whose predictions or targets are
        all equal, which counts as 0), `mse`, `mae` (over all elements), `r2` (mean over axes, at most 1; an
        axis with equal targets counts as 0), and `spearman_by_axis`, a dictionary.
    """
    predicted, truth = predictions.detach().double().cpu(), targets.double().cpu()
    by_axis = {name: _spearman(predicted[:, axis], truth[:, axis]) for axis, name in enumerate(names)}
    return {
        "spearman": sum(by_axis.values()) / len(by_axis),
        "mse": float(mean_squared_error(predicted, truth)),
        "mae": float(mean_absolute_error(predicted, truth)),
        "r2": float(r2_score(predicted, truth)),
        "spearman_by_axis": by_axis,
    } | further_metrics("regression", predicted, truth)


def _spearman(predicted: Tensor, truth: Tensor) -> float:
    if bool(torch.all(predicted == predicted[0]) | torch.all(truth == truth[0])):
        return 0.0
    return float(spearman_corrcoef(predicted, truth))
