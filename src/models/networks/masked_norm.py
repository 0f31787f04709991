"""Batch norm whose statistics ignore padding."""

import torch
from torch import Tensor, nn

from src.models.networks.sequence_base import inside, without_padding


class MaskedBatchNorm(nn.Module):
    """Batch norm over the actual frames of each item; outputs are 0 past its end.

    Without padding it equals `nn.BatchNorm1d` or `nn.BatchNorm2d`, with parameters and buffers of the same names
    (Ioffe and Szegedy, 'Batch Normalization', 2015). Moments are float32, also under autocast.

    Args:
        channels: C.
        eps: added to the variance.
        momentum: weight of a batch in the running statistics, which are used in evaluation.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def extra_repr(self) -> str:
        """Return the number of channels, for printing."""
        return str(len(self.weight))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalise (B, C, T) or (B, C, F, T).

        Args:
            x: with any values past an item's end.
            lengths: int64 (B,), each in 1..T.
        """
        x = without_padding(x, lengths)
        mean, variance = self._moments(x, lengths) if self.training else (self.running_mean, self.running_var)
        # y = scale · x + shift, where the shift (B, C, T) is 0 in padding, as x is.
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = (self.bias - mean * scale)[:, None] * inside(lengths, x.shape[-1])[:, None]
        ones = [1] * (x.ndim - 3)
        return torch.addcmul(
            shift.view(*shift.shape[:2], *ones, -1).to(x.dtype), x, scale.view(-1, *ones, 1).to(x.dtype)
        )

    def _moments(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and biased variance of each channel, float32 (C,), and update the running statistics."""
        others = [axis for axis in range(x.ndim) if axis != 1]
        count = lengths.sum() * (x[0, 0].numel() // x.shape[-1])
        mean = x.sum(others, dtype=torch.float32) / count
        # Padding is 0, and so is its square.
        variance = (x.float().square().sum(others) / count - mean.square()).clamp(min=0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        return mean, variance
