"""Convolutions over time and over rows with attentive statistics pooling, for few training items."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.networks.base import Float32Linear
from src.models.networks.masked_norm import MaskedBatchNorm
from src.models.networks.options import MOST_DILATED, Count, Counts, Dropout
from src.models.networks.sequence_base import SequenceNetwork, frames_of, inside, without_padding
from src.options import checks
from src.rules import Rule, Unfit, null, whole

ATTENTION = 16
"""Width of the hidden layer of the attention."""

FRAMES = 129
"""Frames of the longest item after the default stride, about the most beats that 30 s have."""


def _odd(key: str, value: Any) -> int:
    if not whole(1).read(key, value) % 2:
        raise Unfit
    return int(value)


ODD = Rule("an odd whole number from 1", _odd)


class ConvAttention(SequenceNetwork):
    """Convolutions over rows and over time, residual blocks, attentive statistics pooling, dropout, a linear layer.

    There are two branches. In one, a convolution over time takes the rows as channels, so that its weights belong to
    single pitches or bands. In the other, 2-D convolutions, the first 5×5, the others 3×3, are averaged over rows, so
    that they respond to what occurs at any pitch. Both are concatenated and pass through residual blocks of one
    convolution over time, block i dilated by 2^i. Each channel has its own attention over frames; the weighted mean and
    standard deviation of all channels describe the item.

    Source: Okabe et al., 'Attentive Statistics Pooling for Deep Speaker Embedding', 2018, with the weights by channel
    of Desplanques et al., 'ECAPA-TDNN', 2020.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        n_rows: its rows.
        n_frames: of the longest item.
        channels: of the convolution over time.
        planes: channels of each 2-D convolution, which halves the rows, rounding up.
        stride: of the first convolution of both branches, in frames; `None`: so that about `FRAMES` are left.
        kernel_size: of the convolution over time, odd; `None`: 2 · stride + 1. It is 3 in the blocks.
        blocks: residual blocks, 0 to 16.
        input_dropout: share of the rows that are dropped in all frames, 0 to below 1.
        dropout: share of the features dropped in blocks and before the linear layer, 0 to below 1.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        n_rows: int = 140,
        n_frames: int = FRAMES,
        channels: Count = 64,
        planes: Counts = (16, 32, 64),
        stride: Annotated[int | None, whole(1) | null("for about 129 frames")] = None,
        kernel_size: Annotated[int | None, ODD | null("for 2 · stride + 1")] = None,
        blocks: Annotated[int, whole(0, MOST_DILATED)] = 2,
        input_dropout: Dropout = 0.1,
        dropout: Dropout = 0.5,
    ) -> None:
        super().__init__(in_channels, n_rows)
        stride = max(1, n_frames // FRAMES) if stride is None else stride
        kernel_size = 2 * stride + 1 if kernel_size is None else kernel_size
        self.input_dropout = nn.Dropout1d(input_dropout)
        self.over_time = _Convolution(in_channels * n_rows, channels, kernel_size, stride)
        self.over_rows = _planes((in_channels, *planes), stride)
        width = channels + planes[-1]
        numbers = range(blocks)
        self.blocks = nn.ModuleList(_Convolution(width, width, dilation=2**number) for number in numbers)
        self.attention = nn.Sequential(
            nn.Conv1d(width, ATTENTION, 1), nn.Tanh(), nn.Conv1d(ATTENTION, width, 1, bias=False)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = Float32Linear(2 * width, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map features (B, in_channels, n_rows, T) to logits (B, n_classes), float32."""
        lengths = frames_of(x, lengths)
        x = without_padding(x, lengths)
        y, _ = self.over_time(self.input_dropout(x.flatten(1, 2)), lengths)
        for plane in self.over_rows:
            x, lengths = plane(x, lengths)
        y = torch.cat([y, x.mean(-2)], 1)
        for block in self.blocks:
            y = y + self.dropout(block(y, lengths)[0])
        statistics = attentive_statistics(y, self.attention(y), lengths)
        logits: Tensor = self.head(self.dropout(statistics))
        return logits


class _Convolution(nn.Module):
    def __init__(
        self, before: int, after: int, kernel_size: int = 3, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.stride = stride
        padding = dilation * (kernel_size // 2)
        # No bias: the batch norm's shift replaces it.
        self.conv = nn.Conv1d(before, after, kernel_size, stride, padding, dilation, bias=False)
        self.norm = MaskedBatchNorm(after)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, before, T) to (B, after, ⌈T / stride⌉), 0 past an item's end, and the new lengths."""
        lengths = (lengths - 1) // self.stride + 1
        return F.relu(self.norm(self.conv(x), lengths), inplace=True), lengths


class _Plane(nn.Module):
    def __init__(self, before: int, after: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(before, after, kernel_size, (2, stride), kernel_size // 2, bias=False)
        self.norm = MaskedBatchNorm(after)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, before, F, T) to (B, after, ⌈F / 2⌉, ⌈T / stride⌉), 0 past an item's end, and the new lengths."""
        lengths = (lengths - 1) // self.stride + 1
        return F.relu(self.norm(self.conv(x), lengths), inplace=True), lengths


def _planes(widths: Sequence[int], stride: int) -> nn.ModuleList:
    first = _Plane(widths[0], widths[1], 5, stride)
    return nn.ModuleList([first, *(_Plane(*pair, 3, 1) for pair in pairwise(widths[1:]))])


def attentive_statistics(x: Tensor, scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the weighted mean and standard deviation over each item's own frames, weighted by the softmax of scores.

    Args:
        x: (B, C, T).
        scores: (B, C, T), any numbers.
        lengths: int64 (B,).

    Returns:
        float32 (B, 2 · C).
    """
    there = inside(lengths, x.shape[-1])[:, None]
    weights = scores.float().masked_fill(~there, -torch.inf).softmax(-1)
    x = without_padding(x, lengths).float()
    mean = (weights * x).sum(-1)
    variance = (weights * (x - mean[..., None]).square()).sum(-1)
    return torch.cat([mean, (variance + 1e-5).sqrt()], 1)
