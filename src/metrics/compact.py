"""A network's outputs and the targets in as little space as their metrics need."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.metrics.probabilities import as_probabilities
from src.metrics.rolls import Frames, n_notes, totals_by_piece
from src.metrics.threshold import Threshold
from src.metrics.weighted import (
    Measures,
    weighted_multiclass,
    weighted_multilabel,
    weighted_regression,
    weighted_rolls,
)

Arrays = dict[str, NDArray[Any]]

LEAST = 1e-50
"""Lower bound of a probability whose logarithm is taken, below every float32."""


def compact_labels(outputs: Tensor, targets: Tensor, threshold: Threshold, _: Sequence[str]) -> Arrays:
    """Return what the metrics of labels need.

    Args:
        outputs: (N, C), in 0..1.
        targets: (N, C), 0 or 1.
        threshold: one for all, or (C,).

    Returns:
        `outputs`, float16 (N, C), log-odds minus those of the threshold: positive where the label is predicted.
        Float16 resolves these most finely near 0, so that no decision changes. `targets`, uint8 (N, C).
    """
    odds = _log_odds(as_probabilities(outputs)) - _log_odds(torch.as_tensor(threshold, dtype=torch.float32))
    return {"outputs": odds.half().numpy(), "targets": targets.cpu().numpy().astype(np.uint8)}


def compact_classes(outputs: Tensor, targets: Tensor, _: Any, names: Sequence[str]) -> Arrays:
    """Return what the metrics of classes need.

    Args:
        outputs: (N, C), probabilities.
        targets: (N,), integers in 0..C−1.
        names: of the C classes.

    Returns:
        `outputs`, float16 (N, C), log-probabilities minus that of the answer, so that no answer changes; `targets`,
        the smallest unsigned integers (N,).
    """
    logarithms = outputs.detach().cpu().double().clamp(min=LEAST).log()
    below = logarithms - logarithms.amax(1, keepdim=True)
    smallest = np.min_scalar_type(max(0, len(names) - 1))
    return {"outputs": below.half().numpy(), "targets": targets.cpu().numpy().astype(smallest)}


def compact_numbers(outputs: Tensor, targets: Tensor, _: Any, __: Sequence[str]) -> Arrays:
    """Return what the metrics of numbers need: `outputs` and `targets`, float32 (N, D).

    Float16 would give items that differ the same rank, and has no numbers above 65,504.
    """
    return {"outputs": outputs.detach().float().cpu().numpy(), "targets": targets.float().cpu().numpy()}


def compact_rolls(outputs: Tensor, frames: Frames, threshold: float, names: Sequence[str]) -> Arrays:
    """Return `totals_by_piece` of P pieces, float32 (n_notes, P) or (1, P) each."""
    totals = totals_by_piece(outputs, frames, threshold, n_notes(names))
    return {name: total.float().numpy() for name, total in totals.items()}


def measures_of_labels(arrays: Mapping[str, NDArray[Any]], _: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_labels` returned."""
    scores = torch.from_numpy(arrays["outputs"]).float()
    return weighted_multilabel(scores, torch.from_numpy(arrays["targets"]).bool(), 0.0)


def measures_of_classes(arrays: Mapping[str, NDArray[Any]], _: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_classes` returned."""
    scores = torch.from_numpy(arrays["outputs"]).float()
    return weighted_multiclass(scores, torch.from_numpy(arrays["targets"].astype(np.int64)))


def measures_of_numbers(arrays: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_numbers` returned."""
    predictions, targets = (torch.from_numpy(arrays[name]).double() for name in ("outputs", "targets"))
    return weighted_regression(predictions, targets, names)


def measures_of_rolls(arrays: Mapping[str, NDArray[Any]], _: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_rolls` returned."""
    return weighted_rolls({name: torch.from_numpy(total).double() for name, total in arrays.items()})


def items_hash(arrays: Mapping[str, NDArray[Any]], groups: NDArray[np.int64]) -> str:
    """Hash the truth and the groups of items, whatever a network answered.

    Args:
        arrays: of a `compact_…` function.
        groups: of the items.

    Returns:
        16 hexadecimal digits.
    """
    # Of rolls the truth is how often each key sounds in each piece.
    of_rolls = "targets" not in arrays
    truth = [arrays["hits"] + arrays["missed"], arrays["frames"]] if of_rolls else [arrays["targets"]]
    digest = hashlib.blake2b(digest_size=8)
    for array in (*truth, groups):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _log_odds(probabilities: Tensor) -> Tensor:
    """Return log-odds, float64, of float32 probabilities; finite at 0 and 1, and different where these are."""
    exact = probabilities.detach().cpu().double()
    return exact.clamp(min=LEAST).log() - (1 - exact).clamp(min=1e-9).log()
