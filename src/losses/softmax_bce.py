"""Softmax with binary cross-entropy, the published loss of orchestral mixtures."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from src.errors import UserError
from src.losses.base import Loss, as_float32
from src.metrics.probabilities import logits_of_softmax


class SoftmaxBCE(Loss):
    """Mean of −[q·log p + (1 − q)·log(1 − p)] over items and classes, p = softmax(z), q = t / Σt.

    The target is spread evenly over an item's labels; q = 0 for an item without labels. The minimum of the loss is
    the entropy of q, which is 0 only for one label.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel",)

    def check(self, n_classes: int) -> None:
        """Refuse a single class, whose softmax is always 1.

        Raises:
            UserError: there is one class.
        """
        if n_classes < 2:
            raise UserError("loss=softmax_bce needs two classes or more, but there is one: choose loss=bce.")

    def outputs(self, logits: Tensor) -> Tensor:
        """Return the softmax of logits (..., C), float32 or wider."""
        return logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(-1)

    def inverse(self, outputs: Tensor) -> Tensor:
        """Return logits whose softmax is `outputs` (..., C)."""
        return logits_of_softmax(outputs)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the binary cross-entropy of the softmax.

        Args:
            logits: (..., C), any floating type, C ≥ 2.
            targets: (..., C), 0 or 1 of any type.

        Returns:
            Scalar, float32, ≥ 0.
        """
        logits, targets = as_float32(logits, targets)
        q = targets / targets.sum(-1, keepdim=True).clamp(min=1)
        log_p = logits.log_softmax(-1)
        return -(q * log_p + (1 - q) * _log_not_p(logits, log_p)).mean()


def _log_not_p(logits: Tensor, log_p: Tensor) -> Tensor:
    """Return log(1 − p), finite where p rounds to 1: only the top class can, so its 1 − p is the sum of the others."""
    top = logits.argmax(-1, keepdim=True)
    below = logits - logits.gather(-1, top).detach()
    log_others = below.scatter(-1, top, -torch.inf).logsumexp(-1, keepdim=True)
    log_not_top = log_others - below.logsumexp(-1, keepdim=True)
    is_top = F.one_hot(top.squeeze(-1), logits.shape[-1]).bool()
    return torch.where(is_top, log_not_top, torch.log1p(-log_p.exp().masked_fill(is_top, 0.0)))
