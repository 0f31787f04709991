"""Common code of networks: checks of options and input, pooling to a fixed number of cells, a float32 output layer."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.errors import UserError


class Network(nn.Module):
    """A network that maps (B, in_channels, n_mels, T) to logits (B, n_classes), for any T.

    Features should have mean 0, preferably in each band, since convolutions pad with 0.

    Args:
        in_channels: channels of the input, 1 for a mono spectrogram.
        halvings: number of times that the network halves n_mels and T.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "multiclass", "regression")
    """The kinds of targets it fits."""

    inputs: ClassVar[tuple[str, ...]] = ("spectrograms",)
    """The kinds of items it fits."""

    def __init__(self, in_channels: int, halvings: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.min_size = 2**halvings
        """The fewest mel bands and frames of which every halving leaves at least one."""

    def check(self, item_shape: Sequence[int]) -> None:
        """Refuse items that are too small for the network, or have another number of channels.

        Args:
            item_shape: (channels, n_mels, T) of one item.

        Raises:
            UserError: the items don't fit.
        """
        channels, n_mels, frames = item_shape
        if channels != self.in_channels:
            raise UserError(
                f"The network takes {self.in_channels} channels, but items have {channels}: set in_channels."
            )
        if min(n_mels, frames) < self.min_size:
            raise UserError(
                f"Items of {n_mels} mel bands by {frames} frames are too small for the network, which needs "
                f"{self.min_size} by {self.min_size}: use more bands, longer clips or fewer model.channels."
            )


class Float32Linear(nn.Linear):
    """A linear layer that computes in float32 even under autocast, so that rounding doesn't make scores equal."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, in_features) of any floating type to (B, out_features), float32."""
        bias = None if self.bias is None else self.bias.float()
        with torch.autocast(input.device.type, enabled=False):
            return F.linear(input.float(), self.weight.float(), bias)


def pool_cells(size: int, cells: int, like: Tensor) -> Tensor:
    """Return a matrix (cells, size) that averages neighbours as `nn.AdaptiveAvgPool1d(cells)` does.

    Multiplying by it is deterministic on every device, unlike the adaptive layer's gradient on a GPU.

    Args:
        size: length before pooling, ≥ 1.
        cells: length after pooling, ≥ 1; cells overlap where it doesn't divide `size`.
        like: a tensor of the wanted dtype and device.
    """
    cell = torch.arange(cells, device=like.device)[:, None]
    position = torch.arange(size, device=like.device)
    start, end = cell * size // cells, -(-(cell + 1) * size // cells)
    inside = ((position >= start) & (position < end)).to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


def conv_block(
    in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """Return convolution, batch norm, ReLU and max-pool 2: (B, in_channels, F, T) -> (B, out_channels, F', T').

    The convolution has no bias: the batch norm's shift replaces it.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )
