"""The published network of piano rolls, made causal: convolutions over time, then a GRU."""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.errors import UserError
from src.models.networks.options import Count, Dropout, Flag, Layers
from src.models.networks.roll_base import CausalConv1d, Lags, RollNetwork, output_layer
from src.options import checks
from src.rules import each, whole


class ConvGRU(RollNetwork):
    """[Conv1d, ReLU] over time for each of `channels`, a GRU, and a linear layer.

    The published network has channels 64, 64, kernel 3 and a GRU of 128. Its convolutions are centred, so that the
    output at t depends on column t + 1, which it is to predict; `causal=false` reproduces that mistake.

    Args:
        n_keys: columns of the roll.
        channels: of each convolution.
        kernel_size: steps that each convolution sees, 1 or more; odd where `causal` is false.
        hidden: width of the GRU.
        layers: of the GRU.
        dropout: share of the features dropped before the GRU, between its layers and before the output.
        skip: whether the last layer sees the last column and the convolutions' output, besides the GRU's.
        lags: columns that precede the predicted one by so many steps are input, too.
        causal: whether outputs depend on past columns only.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_keys: int,
        channels: Annotated[Sequence[int], each(whole(1), least=0)] = (64, 64),
        kernel_size: Count = 3,
        hidden: Count = 128,
        layers: Layers = 1,
        dropout: Dropout = 0.0,
        skip: Flag = True,
        lags: Sequence[int] = (),
        causal: Flag = True,
    ) -> None:
        super().__init__(n_keys)
        if not causal and kernel_size % 2 == 0:
            raise UserError(f"model.kernel_size={kernel_size}: choose an odd number where causal is false.")
        self.causal, self.skip = causal, skip
        self.dropout = nn.Dropout(dropout)
        self.lags = Lags(n_keys, lags)
        widths = [self.lags.width, *channels]
        self.convolutions = nn.ModuleList(
            CausalConv1d(before, after, kernel_size) for before, after in itertools.pairwise(widths)
        )
        between = dropout if layers > 1 else 0.0
        self.gru = nn.GRU(widths[-1], hidden, layers, batch_first=True, dropout=between)
        self.output = output_layer(hidden + (widths[-1] + n_keys) * skip, n_keys)

    def forward(self, x: Tensor) -> Tensor:
        """Map columns (B, T, n_keys), 0 or 1, to the logits of the column that follows each, float32."""
        if self.causal:
            return self.advance(x)[0]
        y = self.lags.advance(x)[0].transpose(1, 2)
        for convolution in self._layers():
            # A causal convolution shifted by half a kernel is a centred one.
            half = convolution.reach // 2
            y = F.relu(convolution(F.pad(y, (0, half)))[..., half:])
        return self._from_convolved(x, y.transpose(1, 2), None)[0]

    def advance(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """See `RollNetwork.advance`; the state holds the columns that lags and convolutions look back at."""
        if not self.causal:
            return super().advance(x, state)
        lagged, pasts, hidden = state or (None, [None] * len(self.convolutions), None)
        y, lagged = self.lags.advance(x, lagged)
        y, seen = y.transpose(1, 2), []
        for convolution, past in zip(self._layers(), pasts, strict=True):
            y, past = convolution.advance(y, past)
            y = F.relu(y)
            seen.append(past)
        logits, hidden = self._from_convolved(x, y.transpose(1, 2), hidden)
        return logits, (lagged, seen, hidden)

    def _layers(self) -> list[CausalConv1d]:
        return cast(list[CausalConv1d], list(self.convolutions))

    def _from_convolved(self, x: Tensor, y: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        h, hidden = self.gru(self.dropout(y), hidden)
        h = self.dropout(h)
        logits: Tensor = self.output(torch.cat([h, y, x], -1) if self.skip else h)
        assert hidden is not None
        return logits, hidden
