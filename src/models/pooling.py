"""One answer for a recording that was heard in windows."""

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
    """Pool windows, and give the logits that stand for the pooled outputs.

    Args:
        logits: (W, C), the windows of each recording one after another.
        counts: int64 (F,), windows of each recording, W in all, none 0.
        outputs: from logits to probabilities or numbers.
        inverse: from those back to logits.
        pool: `mean` or `max` of the outputs.

    Returns:
        (F, C), float32.
    """
    windows = torch.split(outputs(logits.double()), counts.tolist())
    pools = [part.amax(0) if pool == "max" else part.mean(0) for part in windows]
    return inverse(torch.stack(pools)).float()
