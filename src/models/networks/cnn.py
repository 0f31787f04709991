"""The published instrument network: four blocks of convolution and max-pooling."""

import torch
from torch import Tensor, nn

from src.models.networks.base import Float32Linear, Network, conv_block, pool_cells
from src.models.networks.options import Count, Counts, Dropout
from src.options import checks


class CNN(Network):
    """Blocks of [conv 3×3, batch norm, ReLU, max-pool 2], then dropout and a linear layer.

    The published network takes images of one size (400 × 400) and flattens all positions of the last block, so that
    most of its weights are in the linear layer. Here the positions are averaged into `grid` × `grid` cells first, so
    that clips of any length fit and coarse positions in pitch and time are kept. Convolutions pad by 1, so that a
    block halves frequency and time, rounding down.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        channels: channels of each block; published as 8, 16, 32, 128.
        dropout: share of the features dropped before the linear layer, 0 to below 1.
        grid: rows (frequency) and columns (time) that the last block is averaged to.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        channels: Counts = (8, 16, 32, 128),
        dropout: Dropout = 0.5,
        grid: Count = 4,
    ) -> None:
        super().__init__(in_channels, halvings=len(channels))
        self.grid = grid
        widths = (in_channels, *channels)
        self.blocks = nn.Sequential(
            *(conv_block(*pair, padding=1) for pair in zip(widths, channels, strict=False))
        )
        self.dropout = nn.Dropout(dropout)
        self.head = Float32Linear(channels[-1] * grid**2, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (B, in_channels, n_mels, T) to logits (B, n_classes), float32."""
        x = self.blocks(x)
        rows, columns = (pool_cells(size, self.grid, like=x) for size in x.shape[-2:])
        cells = torch.einsum("bcft,rf,st->bcrs", x, rows, columns)
        logits: Tensor = self.head(self.dropout(cells.flatten(1)))
        return logits
