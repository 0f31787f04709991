"""An LSTM over the columns of a piano roll."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.networks.options import Count, Dropout, Flag, Layers
from src.models.networks.portable_lstm import PortableLSTM
from src.models.networks.roll_base import Lags, RollNetwork, output_layer
from src.options import checks


class LSTM(RollNetwork):
    """A linear layer with ReLU on each column, an LSTM, and a linear layer.

    Args:
        n_keys: columns of the roll.
        embedding: width of the first layer.
        hidden: width of the LSTM.
        layers: of the LSTM.
        dropout: share of the features dropped before the LSTM, between its layers and before the output.
        skip: whether the last layer sees the last column and the first layer's output, besides the LSTM's.
        lags: columns that precede the predicted one by so many steps are input, too.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_keys: int,
        embedding: Count = 128,
        hidden: Count = 128,
        layers: Layers = 1,
        dropout: Dropout = 0.0,
        skip: Flag = True,
        lags: Sequence[int] = (),
    ) -> None:
        super().__init__(n_keys)
        self.skip = skip
        self.dropout = nn.Dropout(dropout)
        self.lags = Lags(n_keys, lags)
        self.embedding = nn.Linear(self.lags.width, embedding)
        between = dropout if layers > 1 else 0.0
        self.lstm = PortableLSTM(embedding, hidden, layers, batch_first=True, dropout=between)
        self.output = output_layer(hidden + (embedding + n_keys) * skip, n_keys)

    def forward(self, x: Tensor) -> Tensor:
        """Map columns (B, T, n_keys), 0 or 1, to the logits of the column that follows each, float32."""
        return self.advance(x)[0]

    def advance(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """See `RollNetwork.advance`."""
        past, memory = state or (None, None)
        y, past = self.lags.advance(x, past)
        y = F.relu(self.embedding(y))
        h, memory = self.lstm(self.dropout(y), memory)
        h = self.dropout(h)
        logits: Tensor = self.output(torch.cat([h, y, x], -1) if self.skip else h)
        return logits, (past, memory)
