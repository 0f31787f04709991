"""Penalties on a network's weights that are added to the loss, so that the optimizer sees their gradients."""

from collections.abc import Iterator
from typing import Annotated

import torch
from torch import Tensor, nn

from src.options import checks
from src.rules import number


class L1(nn.Module):
    """weight · Σ|w| (Tibshirani, 'Regression Shrinkage and Selection via the Lasso', 1996).

    Args:
        weight: 0 or more.

    Raises:
        UserError: `weight` is outside its range.
    """

    @checks("regularization")
    def __init__(self, weight: Annotated[float, number(0)] = 1e-2) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, network: nn.Module) -> Tensor:
        """Return the penalty of `network`, a scalar ≥ 0."""
        return self.weight * sum((w.abs().sum() for w in penalised(network)), start=torch.zeros(()))


class L2(nn.Module):
    """weight / 2 · Σw², whose gradient weight · w is what `weight_decay` adds in `torch.optim.Adam` and `SGD`.

    Args:
        weight: 0 or more.

    Raises:
        UserError: `weight` is outside its range.
    """

    @checks("regularization")
    def __init__(self, weight: Annotated[float, number(0)] = 5e-3) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, network: nn.Module) -> Tensor:
        """Return the penalty of `network`, a scalar ≥ 0."""
        return self.weight / 2 * sum((w.square().sum() for w in penalised(network)), start=torch.zeros(()))


def penalised(network: nn.Module) -> Iterator[nn.Parameter]:
    """Return the trainable weights with two or more dimensions: no biases, batch norms or frozen weights."""
    return (w for w in network.parameters() if w.ndim >= 2 and w.requires_grad)
