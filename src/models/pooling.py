"""Combines the outputs for the windows of a recording."""

from collections.abc import Callable

import torch
from torch import Tensor


def pooled(
    logits: Tensor,
    counts: Tensor,
    outputs: Callable[[Tensor], Tensor],
    inverse: Callable[[Tensor], Tensor],
    pool: str,
) -> Tensor:
    """Pool the outputs for the windows of each recording, and return the corresponding logits.

    Args:
        logits: (W, C), of the windows of one recording after another.
        counts: int64 (F,), the number of windows of each recording, > 0, W in total.
        outputs: maps logits to probabilities or numbers.
        inverse: maps these back to logits.
        pool: `mean` or `max` of the outputs.

    Returns:
        (F, C), float32.
    """
    windows = torch.split(outputs(logits.double()), counts.tolist())
    pools = [of_recording.amax(0) if pool == "max" else of_recording.mean(0) for of_recording in windows]
    return inverse(torch.stack(pools)).float()
