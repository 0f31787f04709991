"""Asymmetric loss, for many labels of which few are present."""

import math
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from src.losses.base import Loss, as_float32
from src.options import checks
from src.rules import number

EPSILON = 1e-8
"""The least shifted probability, as in the authors' code; keeps gradients finite for γ below 1."""


class Asymmetric(Loss):
    """Mean of −t·(1 − p)^γ₊·log p − (1 − t)·q^γ₋·log(1 − q) over items and classes, q = max(p − clip, 0).

    Ones and zeros are focused separately, and a zero whose probability is below `clip` costs nothing. Source: Ridnik et
    al., 'Asymmetric Loss For Multi-Label Classification', 2021, equations 5 to 7; the mean replaces
    the sum, and the focusing factors are differentiated, too, as in the paper's gradient analysis.

    Args:
        gamma_negative: γ₋ ≥ 0, focusing of zeros.
        gamma_positive: γ₊ ≥ 0, focusing of ones.
        clip: margin in 0..0.5 by which the probability of zeros is shifted.

    Raises:
        UserError: a value is outside its range.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "rolls")

    @checks("loss")
    def __init__(
        self,
        gamma_negative: Annotated[float, number(0)] = 4.0,
        gamma_positive: Annotated[float, number(0)] = 1.0,
        clip: Annotated[float, number(0, 0.5)] = 0.05,
    ) -> None:
        super().__init__()
        self.gamma_negative = gamma_negative
        self.gamma_positive = gamma_positive
        self.clip = clip

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the asymmetric loss.

        Args:
            logits: (..., C), any floating type.
            targets: (..., C), 0 or 1 of any type.

        Returns:
            Scalar, float32, ≥ 0.
        """
        logits, targets = as_float32(logits, targets)
        ones = (self.gamma_positive * F.logsigmoid(-logits)).exp() * F.logsigmoid(logits)
        return -(targets * ones + (1 - targets) * self._zeros(logits)).mean()

    def _zeros(self, logits: Tensor) -> Tensor:
        if self.clip == 0:
            return (self.gamma_negative * F.logsigmoid(logits)).exp() * F.logsigmoid(-logits)
        shifted = (logits.sigmoid() - self.clip).clamp(min=EPSILON)
        # 1 − (p − clip) is (1 − p) + clip, which is exact where p is nearly 1.
        log_clip = logits.new_tensor(math.log(self.clip))
        log_not_shifted = torch.logaddexp(F.logsigmoid(-logits), log_clip).clamp(max=0.0)
        return shifted.pow(self.gamma_negative) * log_not_shifted
