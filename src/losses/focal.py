"""Focal loss, which reduces the weight of elements that are already right."""

from typing import Annotated, ClassVar

import torch.nn.functional as F
from torch import Tensor

from src.losses.base import Loss, as_float32
from src.options import checks
from src.rules import null, number, share


class Focal(Loss):
    """Mean of −α_t·(1 − p_t)^γ·log p_t over items and classes.

    p_t is the probability of the true value; α_t is α for ones and 1 − α for zeros: one factor for all terms would
    only scale the loss. Source: Lin et al., 'Focal Loss for Dense Object Detection', 2017,
    equation 5. With γ = 0 and no α it is `BCE`.

    Args:
        gamma: γ ≥ 0; the larger, the less easy elements count.
        alpha: α in 0..1, the weight of ones; `None`: ones and zeros have weight 1.

    Raises:
        UserError: γ or α is outside its range.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "rolls")

    @checks("loss")
    def __init__(
        self, gamma: Annotated[float, number(0)] = 2.0, alpha: Annotated[float | None, share | null()] = 0.25
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the focal loss.

        Args:
            logits: (..., C), any floating type.
            targets: (..., C), 0 or 1 of any type.

        Returns:
            Scalar, float32, ≥ 0.
        """
        logits, targets = as_float32(logits, targets)
        log_p, log_not_p = F.logsigmoid(logits), F.logsigmoid(-logits)
        ones = -targets * (self.gamma * log_not_p).exp() * log_p
        zeros = -(1 - targets) * (self.gamma * log_p).exp() * log_not_p
        if self.alpha is None:
            return (ones + zeros).mean()
        return (self.alpha * ones + (1 - self.alpha) * zeros).mean()
