"""Squared errors of several axes, weighted by uncertainties that are learned with the network."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from src.errors import UserError
from src.losses.base import Loss, as_float32
from src.options import checks
from src.rules import each, null, number

LEAST = 1e-6
"""The smallest initial variance of an axis."""


class Uncertainty(Loss):
    """Σ ½·exp(−sᵢ)·mseᵢ + ½·sᵢ, mseᵢ being the mean of (y − t)² of axis i over items, sᵢ a learned log-variance.

    Axes with large errors get little weight: the optimal s is the logarithm of the error. Source:
    Kendall, Gal and Cipolla, 'Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and
    Semantics', 2018, equation 7. It is the sum over axes of torch's `GaussianNLLLoss` with one variance per axis.
    The optimizer trains s like the output layer, with its learning rate and weight decay.

    Args:
        variances: initial exp(s), one number per axis; `None`: those of the training targets, which the trial
            computes with `variances_of`. From 1, as published, a small learning rate does not reach the optimum.

    Raises:
        UserError: a variance is below 1e-6 or not a number.
    """

    targets: ClassVar[tuple[str, ...]] = ("regression",)

    @checks("loss")
    def __init__(
        self, variances: Annotated[Sequence[float] | None, each(number(LEAST)) | null()] = None
    ) -> None:
        super().__init__()
        self.log_variances = nn.Parameter(torch.tensor(variances or ()).log())

    def check(self, n_classes: int) -> None:
        """Refuse `variances` of another length than `n_classes`.

        Raises:
            UserError: the length differs.
        """
        if len(self.log_variances) not in (0, n_classes):
            raise UserError(
                f"loss.variances has {len(self.log_variances)} numbers, but there are {n_classes} axes: give one "
                "number per axis, or null."
            )

    def prepare(self, n_classes: int) -> None:
        """Create one log-variance of 0 per axis where none are given."""
        if not len(self.log_variances):
            self.log_variances = nn.Parameter(torch.zeros(n_classes))

    def learned(self, names: Sequence[str]) -> dict[str, float]:
        """Return `log_variance_<axis>` of each axis."""
        values = self.log_variances.tolist()
        return {f"log_variance_{name}": value for name, value in zip(names, values, strict=True)}

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood, up to a constant.

        Args:
            logits: (B, D), the predicted numbers themselves, any floating type.
            targets: (B, D), numbers.

        Returns:
            Scalar, float32, of any sign.
        """
        logits, targets = as_float32(logits, targets)
        s = self.log_variances.to(logits.device)
        return ((-s).exp() * (logits - targets).square().mean(0) + s).sum() / 2


def variances_of(targets: Tensor) -> list[float]:
    """Return the variance of each axis, 1 for an axis that hardly varies.

    Args:
        targets: (N, D), numbers, N ≥ 1.

    Returns:
        D numbers >= 1e-6.
    """
    variances = targets.double().var(0, correction=0)
    counted: list[float] = torch.where(variances >= LEAST, variances, 1.0).tolist()
    return counted
