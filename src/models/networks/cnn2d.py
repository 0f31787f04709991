"""The published convolutional genre network: four blocks over rows and time."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from src.models.networks.base import Float32Linear
from src.models.networks.masked_norm import MaskedBatchNorm
from src.models.networks.options import Counts, Dropout
from src.models.networks.sequence_base import SequenceNetwork, frames_of, mean_over_time, without_padding
from src.options import checks


class CNN2D(SequenceNetwork):
    """Blocks of [conv 3×3, batch norm, ReLU, max-pool 2], the mean over all positions, dropout, a linear layer.

    Rows and frames are halved while there is more than one, so that 12 pitch classes pass four blocks. The length of
    an item is halved with its frames, rounding down, to at least 1. Padding is set to 0 after every block, so that an
    item has the same logits with and without padding.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        n_rows: its rows.
        channels: of each block.
        dropout: share of the features dropped before the linear layer, 0 to below 1.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        n_rows: int = 140,
        channels: Counts = (32, 64, 128, 256),
        dropout: Dropout = 0.4,
    ) -> None:
        super().__init__(in_channels, n_rows, min_frames=2 ** len(channels))
        self.blocks = nn.ModuleList(_Block(*pair) for pair in pairwise((in_channels, *channels)))
        self.dropout = nn.Dropout(dropout)
        self.head = Float32Linear(channels[-1], n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map features (B, in_channels, n_rows, T) to logits (B, n_classes), float32."""
        lengths = frames_of(x, lengths)
        x = without_padding(x, lengths)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        logits: Tensor = self.head(self.dropout(mean_over_time(x, lengths).mean(-1)))
        return logits


class _Block(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        # No bias: the batch norm's shift replaces it.
        self.conv = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
        self.norm = MaskedBatchNorm(after)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, before, F, T) to (B, after, F // 2, T // 2), both at least 1, and the new lengths."""
        x = F.relu(self.norm(self.conv(x), lengths), inplace=True)
        # An item of one frame is pooled with the 0 past its end, which leaves it as it is after a ReLU.
        x = F.max_pool2d(x, [min(size, 2) for size in x.shape[-2:]])
        lengths = (lengths // 2).clamp(min=1)
        return without_padding(x, lengths), lengths
