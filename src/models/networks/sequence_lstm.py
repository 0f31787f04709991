"""The published genre network: an LSTM over the frames of a clip, in both directions."""

from typing import Annotated

import torch
from torch import Tensor, nn

from src.models.networks.base import Float32Linear
from src.models.networks.options import Count, Dropout, Flag, Layers
from src.models.networks.portable_lstm import PortableLSTM
from src.models.networks.sequence_base import SequenceNetwork, frames_of, mean_over_time, without_padding
from src.options import checks
from src.rules import one_of

POOLS = ("last", "mean")


class SequenceLSTM(SequenceNetwork):
    """Layers of LSTMs over the frames, one vector for the item, dropout, a linear layer.

    It is equivalent to `nn.LSTM` on packed sequences. It doesn't pack them, since on a CPU a training step with packed
    clips of 1293 frames takes about 20 times as long (`benchmarks/packed_lstm.py`). Instead, items are reversed for the
    backward direction, each from its own end.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        n_rows: its rows.
        hidden: width of the LSTM, of each direction.
        layers: of the LSTM.
        bidirectional: whether to read backward, too; the next layer and the output see both directions.
        dropout: share of the features dropped between layers and before the linear layer, 0 to below 1.
        pool: how the outputs become a vector: `last`, the last output of each direction, as published, or `mean`, the
            mean over frames.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        n_rows: int = 140,
        hidden: Count = 64,
        layers: Layers = 2,
        bidirectional: Flag = True,
        dropout: Dropout = 0.4,
        pool: Annotated[str, one_of(*POOLS)] = "last",
    ) -> None:
        super().__init__(in_channels, n_rows)
        self.pool = pool
        width = hidden * (2 if bidirectional else 1)
        widths = [in_channels * n_rows] + [width] * (layers - 1)
        self.layers = nn.ModuleList(_Layer(before, hidden, bidirectional) for before in widths)
        self.dropout = nn.Dropout(dropout)
        self.head = Float32Linear(width, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map features (B, in_channels, n_rows, T) to logits (B, n_classes), float32."""
        lengths = frames_of(x, lengths)
        y = without_padding(x, lengths).flatten(1, 2).transpose(1, 2)
        for number, layer in enumerate(self.layers):
            y, last = layer(self.dropout(y) if number else y, lengths)
        vector = last if self.pool == "last" else mean_over_time(y.transpose(1, 2), lengths)
        logits: Tensor = self.head(self.dropout(vector))
        return logits


class _Layer(nn.Module):
    def __init__(self, before: int, hidden: int, bidirectional: bool) -> None:
        super().__init__()
        self.directions = nn.ModuleList(
            PortableLSTM(before, hidden, batch_first=True) for _ in range(2 if bidirectional else 1)
        )

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, T, before) to the outputs (B, T, width) and the last output of each direction, (B, width)."""
        onwards, *backwards = self.directions
        read = [onwards(x)[0], *(lstm(reversed_in_time(x, lengths))[0] for lstm in backwards)]
        last = [y[torch.arange(len(y), device=y.device), lengths - 1] for y in read]
        turned = [read[0], *(reversed_in_time(y, lengths) for y in read[1:])]
        return torch.cat(turned, -1), torch.cat(last, -1)


def reversed_in_time(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the frames of each item, and leave its padding in place.

    Args:
        x: (B, T, W).
        lengths: int64 (B,), each in 1..T.
    """
    steps = torch.arange(x.shape[1], device=x.device)
    mirrored = lengths[:, None] - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return x.gather(1, index[..., None].expand_as(x))
