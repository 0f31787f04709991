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
from src.metrics.weighted import (
    Measures,
    weighted_multiclass,
    weighted_multilabel,
    weighted_regression,
    weighted_rolls,
)

Arrays = dict[str, NDArray[Any]]
Kept = Mapping[str, NDArray[Any]]


def compact_labels(outputs: Tensor, targets: Tensor, _: Any, __: Sequence[str]) -> Arrays:
    """Return what the metrics of labels need.

    Args:
        outputs: (N, C), in 0..1.
        targets: (N, C), 0 or 1.

    Returns:
        `outputs`, float32 (N, C): the probabilities of a poor network differ too little for float16, and would be of
        equal rank. `targets`, uint8 (N, C).
    """
    return {"outputs": as_probabilities(outputs).numpy(), "targets": targets.cpu().numpy().astype(np.uint8)}


def compact_classes(outputs: Tensor, targets: Tensor, _: Any, names: Sequence[str]) -> Arrays:
    """Return what the metrics of classes need.

    Args:
        outputs: (N, C), probabilities.
        targets: (N,), integers in 0..C−1.
        names: of the C classes.

    Returns:
        `outputs`, the answered classes, and `targets`: (N,), the smallest unsigned integers.
    """
    smallest = np.min_scalar_type(max(0, len(names) - 1))
    found = {"outputs": outputs.detach().argmax(1), "targets": targets}
    return {name: classes.cpu().numpy().astype(smallest) for name, classes in found.items()}


def compact_numbers(outputs: Tensor, targets: Tensor, _: Any, __: Sequence[str]) -> Arrays:
    """Return what the metrics of numbers need: `outputs` and `targets`, float32 (N, D)."""
    return {"outputs": outputs.detach().float().cpu().numpy(), "targets": targets.float().cpu().numpy()}


def compact_rolls(outputs: Tensor, frames: Frames, threshold: float, names: Sequence[str]) -> Arrays:
    """Return `totals_by_piece` of P pieces, float32 (n_notes, P) or (1, P) each."""
    totals = totals_by_piece(outputs, frames, threshold, n_notes(names))
    return {name: total.float().numpy() for name, total in totals.items()}


def measures_of_labels(arrays: Kept, threshold: float, _: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_labels` returned."""
    outputs, targets = (torch.from_numpy(arrays[name]) for name in ("outputs", "targets"))
    return weighted_multilabel(outputs, targets.bool(), threshold)


def measures_of_classes(arrays: Kept, _: float, names: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_classes` returned."""
    answers, targets = (torch.from_numpy(arrays[name].astype(np.int64)) for name in ("outputs", "targets"))
    return weighted_multiclass(answers, targets, len(names))


def measures_of_numbers(arrays: Kept, _: float, names: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_numbers` returned."""
    predictions, targets = (torch.from_numpy(arrays[name]).double() for name in ("outputs", "targets"))
    return weighted_regression(predictions, targets, names)


def measures_of_rolls(arrays: Kept, _: float, __: Sequence[str]) -> Measures:
    """Return the metrics of what `compact_rolls` returned."""
    return weighted_rolls({name: torch.from_numpy(total).double() for name, total in arrays.items()})


def items_hash(arrays: Kept, groups: NDArray[np.int64]) -> str:
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
