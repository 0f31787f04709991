"""The temporal convolutional network of Bai et al. (2018) for piano rolls."""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from src.errors import UserError
from src.models.networks.options import MOST_DILATED, Counts, Dropout, Flag
from src.models.networks.roll_base import CausalConv1d, Lags, RollNetwork, output_layer
from src.options import checks
from src.rules import whole


class TCN(RollNetwork):
    """Residual blocks of two dilated causal convolutions, each twice as dilated as the one before.

    Source: Bai et al., 'An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
    Modeling', 2018: weight norm, ReLU and dropout after each convolution.

    Args:
        n_keys: columns of the roll.
        channels: of each block.
        kernel_size: of each convolution, 2 or more; the receptive field of the network has
            1 + 2 · (kernel_size − 1) · (2^blocks − 1) steps.
        dropout: share of the features dropped after each convolution.
        skip: whether a block's input is added to its output.
        lags: columns that precede the predicted one by so many steps are input, too.

    Raises:
        UserError: an option is outside its range, or there are more than 16 blocks.
    """

    @checks("model")
    def __init__(
        self,
        n_keys: int,
        channels: Counts = (128, 128, 128, 128),
        kernel_size: Annotated[int, whole(2)] = 3,
        dropout: Dropout = 0.0,
        skip: Flag = True,
        lags: Sequence[int] = (),
    ) -> None:
        if len(channels) > MOST_DILATED:
            raise UserError(f"model.channels has {len(channels)} blocks: choose {MOST_DILATED} at most.")
        super().__init__(n_keys)
        self.lags = Lags(n_keys, lags)
        widths = [self.lags.width, *channels]
        self.blocks = nn.ModuleList(
            _Block(before, after, kernel_size, 2**level, dropout, skip)
            for level, (before, after) in enumerate(itertools.pairwise(widths))
        )
        self.output = output_layer(widths[-1], n_keys)

    def forward(self, x: Tensor) -> Tensor:
        """Map columns (B, T, n_keys), 0 or 1, to the logits of the column that follows each, float32."""
        return self.advance(x)[0]

    def advance(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """See `RollNetwork.advance`; the state holds the columns that lags and convolutions look back at."""
        lagged, pasts = state or (None, [(None, None)] * len(self.blocks))
        y, lagged = self.lags.advance(x, lagged)
        y, seen = y.transpose(1, 2), []
        for block, past in zip(self.blocks, pasts, strict=True):
            y, past = block(y, past)
            seen.append(past)
        logits: Tensor = self.output(y.transpose(1, 2))
        return logits, (lagged, seen)


class _Block(nn.Module):
    def __init__(
        self, before: int, after: int, kernel_size: int, dilation: int, dropout: float, skip: bool
    ) -> None:
        super().__init__()
        self.first = weight_norm(CausalConv1d(before, after, kernel_size, dilation))
        self.second = weight_norm(CausalConv1d(after, after, kernel_size, dilation))
        self.dropout = nn.Dropout(dropout)
        self.residual: nn.Module | None = None
        if skip:
            self.residual = nn.Identity() if before == after else nn.Conv1d(before, after, 1)

    def forward(self, x: Tensor, pasts: tuple[Tensor | None, ...]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map (B, before, T) and the past inputs of each convolution to (B, after, T) and the new past inputs."""
        y, first = self.first.advance(x, pasts[0])
        y = self.dropout(F.relu(y))
        y, second = self.second.advance(y, pasts[1])
        y = self.dropout(F.relu(y))
        return y if self.residual is None else F.relu(y + self.residual(x)), (first, second)
