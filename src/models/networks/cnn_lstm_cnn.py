"""CNN+LSTM+CNN, the best network published for mixtures of orchestral notes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn

from src.models.networks.base import Float32Linear, Network, conv_block, pool_cells
from src.models.networks.options import Count, Dropout
from src.models.networks.portable_lstm import PortableLSTM
from src.options import checks
from src.rules import each, whole


class CNNLSTMCNN(Network):
    """Blocks of [conv 3×3, batch norm, ReLU, max-pool 2], an LSTM over time, one more block, two linear layers.

    Published: three blocks of 8, 16 and 32 channels, an LSTM of width 16, a convolution with 32 channels, a
    pool, a linear layer of 2048, dropout .5, the output. Chosen here, where the description leaves it
    open: the LSTM runs along each frequency row, with shared weights and the row's channels as input, so that its
    outputs are again a map of frequency and time; the convolution after it is a block like the others; positions are
    then averaged into `grid` × `grid` cells, so that any length fits; a ReLU follows the linear layer.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        channels: channels of each block, two or more; the LSTM stands before the last.
        lstm: width of the LSTM.
        grid: rows (frequency) and columns (time) that the last block is averaged to.
        hidden: width of the linear layer before the last.
        dropout: share of its outputs that are dropped, 0 to below 1.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        channels: Annotated[Sequence[int], each(whole(1), least=2)] = (8, 16, 32, 32),
        lstm: Count = 16,
        grid: Count = 4,
        hidden: Count = 2048,
        dropout: Dropout = 0.5,
    ) -> None:
        super().__init__(in_channels, halvings=len(channels))
        self.grid = grid
        before = pairwise((in_channels, *channels[:-1]))
        self.before = nn.Sequential(*(conv_block(*pair, padding=1) for pair in before))
        self.lstm = PortableLSTM(channels[-2], lstm, batch_first=True)
        self.after = conv_block(lstm, channels[-1], padding=1)
        self.hidden = nn.Sequential(nn.Linear(channels[-1] * grid**2, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.head = Float32Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (B, in_channels, n_mels, T) to logits (B, n_classes), float32."""
        x = self.after(self._along_rows(self.before(x)))
        rows, columns = (pool_cells(size, self.grid, like=x) for size in x.shape[-2:])
        cells = torch.einsum("bcft,rf,st->bcrs", x, rows, columns)
        logits: Tensor = self.head(self.hidden(cells.flatten(1)))
        return logits

    def _along_rows(self, x: Tensor) -> Tensor:
        """Run the LSTM along each frequency row: (B, C, F, T) -> (B, lstm, F, T)."""
        rows = x.permute(0, 2, 3, 1)
        outputs, _ = self.lstm(rows.flatten(0, 1))
        by_row: Tensor = outputs.unflatten(0, rows.shape[:2])
        return by_row.permute(0, 3, 1, 2)
