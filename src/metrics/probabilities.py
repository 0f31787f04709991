"""Scores that must be probabilities, and the logits that probabilities stand for."""

import torch
from torch import Tensor

TOLERANCE = 1e-5
"""How far rounding may carry a probability outside 0..1."""


def as_probabilities(values: Tensor) -> Tensor:
    """Scores as float32 probabilities on the CPU; NaN, a diverged model's answer, counts as 0.

    torchmetrics would put logits through a sigmoid without a word, and a threshold of .5 on logits is .62.

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
    """Logits whose sigmoid gives these probabilities, finite at 0 and 1."""
    least = torch.finfo(probabilities.dtype).eps
    return probabilities.clamp(least, 1 - least).logit()


def logits_of_softmax(probabilities: Tensor) -> Tensor:
    """Logits whose softmax gives these probabilities, or their shares where they do not sum to 1."""
    return probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
