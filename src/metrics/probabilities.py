"""Checks of probabilities, and their conversion to logits."""

import torch
from torch import Tensor

TOLERANCE = 1e-5
"""By how much rounding may move a probability outside 0..1."""


def as_probabilities(values: Tensor) -> Tensor:
    """Return probabilities as float32 on the CPU; NaN, the output of a diverged model, becomes 0.

    Logits are refused: torchmetrics would silently apply a sigmoid, and a threshold of .5 on logits means .62.

    Args:
        values: any shape and floating type, in 0..1.

    Raises:
        ValueError: a value is outside 0..1.
    """
    values = values.detach().float().cpu()
    if bool(((values < -TOLERANCE) | (values > 1 + TOLERANCE)).any()):
        raise ValueError("These are no probabilities in 0..1: put logits through a sigmoid or softmax first.")
    return values.nan_to_num(0.0).clamp(0.0, 1.0)


def logits_of_sigmoid(probabilities: Tensor) -> Tensor:
    """Return logits whose sigmoid gives these probabilities, finite at 0 and 1."""
    least = torch.finfo(probabilities.dtype).eps
    return probabilities.clamp(least, 1 - least).logit()


def logits_of_softmax(probabilities: Tensor) -> Tensor:
    """Return logits whose softmax gives these probabilities, or their shares where they do not sum to 1."""
    return probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
