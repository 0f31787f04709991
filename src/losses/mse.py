"""Mean squared error, for regression."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from src.losses.base import Loss, as_float32


class MSE(Loss):
    """Mean of (y − t)² over items and axes."""

    targets: ClassVar[tuple[str, ...]] = ("regression",)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error.

        Args:
            logits: (B, D), the predicted numbers themselves, any floating type.
            targets: (B, D), numbers.

        Returns:
            Scalar, float32, ≥ 0.
        """
        return F.mse_loss(*as_float32(logits, targets))
