"""The check that scores are probabilities before anything is compared with a threshold."""

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
