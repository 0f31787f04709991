"""One answer for a recording that was heard in windows."""

from collections.abc import Callable

import torch
from torch import Tensor

from src.errors import UserError

POOLS = ("mean", "max")
_LEAST = 1e-7


def check_pool(pool: str) -> str:
    """Return `pool`.

    Raises:
        UserError: there is no such way.
    """
    if pool not in POOLS:
        raise UserError(f"data.pool={pool}: choose {' or '.join(POOLS)}")
    return pool


def pooled(logits: Tensor, counts: Tensor, outputs: Callable[[Tensor], Tensor], pool: str) -> Tensor:
    """Pool the logits of windows so that they stand for the pooled outputs.

    For `max` those are the greatest logits. For `mean` they are the logits of the mean output: of sigmoid or softmax
    outputs, whichever `outputs` is; numbers are averaged as they are.

    Args:
        logits: (W, C), the windows of each recording one after another.
        counts: int64 (F,), windows of each recording, W in all, none 0.
        outputs: from logits to probabilities or numbers.
        pool: `mean` or `max`.

    Returns:
        (F, C).
    """
    recording = torch.repeat_interleave(torch.arange(len(counts), device=logits.device), counts)
    if pool == "max":
        lowest = logits.new_full((len(counts), logits.shape[1]), -torch.inf)
        return lowest.index_reduce(0, recording, logits, "amax")
    values = outputs(logits)
    mean = logits.new_zeros(len(counts), logits.shape[1]).index_add(0, recording, values) / counts[:, None]
    if torch.equal(values, logits):
        return mean
    inside = mean.clamp(_LEAST, 1 - _LEAST)
    one_of_all = torch.allclose(values.sum(1), values.new_ones(len(values)), atol=1e-4)
    return inside.log() if one_of_all else inside.logit()
