"""CNNVarTime, the published network for clips of any length."""

from collections.abc import Sequence

from torch import Tensor, nn

from src.models.networks.base import Float32Linear, Network, conv_block
from src.models.networks.options import Count, Counts, Dropout
from src.options import checks

KERNEL_SIZES = (4, 3, 2, 2)
"""Of the published stages; stages after the fourth have 2."""

FIRST_STRIDE = 2


class CNNVarTime(Network):
    """Stages of [convolution, batch norm, ReLU, max-pool 2], a global average, two linear layers.

    Published for log-mel spectrograms of two channels; channels, widths and dropout as published are the
    defaults. The kernels are 4×4 (with stride 2), 3×3, 2×2 and 2×2, without padding, so that items need
    66 mel bands and frames. The average over frequency and time makes any length fit.

    Args:
        n_classes: number of logits.
        in_channels: channels of the input.
        channels: channels of each stage.
        hidden: width of the linear layer before the last.
        dropout: share dropped before each linear layer, 0 to below 1.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        channels: Counts = (8, 16, 32, 64),
        hidden: Count = 500,
        dropout: Dropout = 0.5,
    ) -> None:
        super().__init__(in_channels, halvings=len(channels) + 1)
        kernels = (*KERNEL_SIZES, *[2] * len(channels))[: len(channels)]
        strides = (FIRST_STRIDE, *[1] * len(channels))[: len(channels)]
        self.min_size = _least_input(kernels, strides)
        widths = (in_channels, *channels)
        stages = zip(widths, channels, kernels, strides, strict=False)
        self.stages = nn.Sequential(*(conv_block(*stage) for stage in stages))
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(channels[-1], hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.head = Float32Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (B, in_channels, n_mels, T) to logits (B, n_classes), float32."""
        average = self.stages(x).mean((2, 3))
        logits: Tensor = self.head(self.hidden(average))
        return logits


def _least_input(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """Return the smallest input of which stages without padding, each with a max-pool 2, leave one position."""
    size = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        size = (2 * size - 1) * stride + kernel
    return size
