"""ResNet-18 (He et al. 2016) for small spectrograms."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor, nn

from src.errors import UserError
from src.models.networks.base import Float32Linear, Network
from src.models.networks.options import MOST_LAYERS, Counts
from src.options import checks
from src.rules import each, whole


class ResNet(Network):
    """A convolution 7×7 with stride 2, stages of basic blocks, a global average, a linear layer.

    Source: He et al., 'Deep Residual Learning for Image Recognition', 2016, ResNet-18 with projections where
    the shape changes (option B), its weights drawn as in He et al., 'Delving Deep into Rectifiers', 2015. The
    max-pool after the first convolution is left out, so that small spectrograms fit: the resolution is twice that of
    the paper, and the computation four times as much.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        channels: channels of each stage; each halves frequency and time, rounding up (the first stage by the
            convolution before it). 64, 128, 256, 512 in the paper.
        blocks: basic blocks of each stage; 3, 4, 6, 3 is ResNet-34.

    Raises:
        UserError: an option is outside its range, or `blocks` has another length than `channels`.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        channels: Counts = (16, 32, 64, 128),
        blocks: Annotated[Sequence[int], each(whole(1, MOST_LAYERS))] = (2, 2, 2, 2),
    ) -> None:
        if len(blocks) != len(channels):
            raise UserError(
                f"model.blocks has {len(blocks)} stages, but model.channels has {len(channels)}: give as many."
            )
        super().__init__(in_channels, halvings=len(channels))
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, channels[0], kernel_size=7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
        first = _stage(channels[0], channels[0], blocks[0], stride=1)
        later = [_stage(*pair, n, stride=2) for pair, n in zip(pairwise(channels), blocks[1:], strict=True)]
        self.stages = nn.Sequential(first, *later)
        self.head = Float32Linear(channels[-1], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (B, in_channels, n_mels, T) to logits (B, n_classes), float32."""
        logits: Tensor = self.head(self.stages(self.stem(x)).mean((2, 3)))
        return logits


class BasicBlock(nn.Module):
    """Two convolutions 3×3 whose output is added to the input, or to its projection where the shape changes.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        stride: of the first convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = _conv_norm(in_channels, out_channels, 3, stride)
        self.second = _conv_norm(out_channels, out_channels, 3, 1)
        same = in_channels == out_channels and stride == 1
        self.shortcut = nn.Identity() if same else _conv_norm(in_channels, out_channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, F, T) -> (B, out_channels, ⌈F / stride⌉, ⌈T / stride⌉)."""
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def _stage(in_channels: int, out_channels: int, blocks: int, stride: int) -> nn.Sequential:
    later = [BasicBlock(out_channels, out_channels) for _ in range(blocks - 1)]
    return nn.Sequential(BasicBlock(in_channels, out_channels, stride), *later)


def _conv_norm(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )
