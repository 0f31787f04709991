"""Common code of networks for piano rolls: prediction step by step, causal convolutions, lagged columns."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.models.networks.base import Float32Linear
from src.options import checks
from src.rules import each, whole

OFF = -3.0
"""Initial logit of all keys: about one in twenty sounds."""

MOST_LAG = 2**16
"""Steps that a network looks back at most; it keeps so many columns."""


class RollNetwork(nn.Module):
    """A network that maps columns (B, T, n_keys) to the logits (B, T, n_keys) of the column that follows each.

    The logits at t depend on the columns up to t only, unless `causal` is false.

    Args:
        n_keys: columns of the roll.
    """

    targets: ClassVar[tuple[str, ...]] = ("rolls",)
    """The kinds of targets it fits."""

    inputs: ClassVar[tuple[str, ...]] = ("rolls",)
    """The kinds of items it fits."""

    causal = True
    """Whether outputs depend on past columns only."""

    def __init__(self, n_keys: int) -> None:
        super().__init__()
        self.n_keys = n_keys

    def check(self, item_shape: Sequence[int]) -> None:
        """Accept any roll: length and number of keys are free."""

    def advance(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Continue from `state`; the result is as if all columns so far were given at once.

        This implementation keeps and reads all columns again; subclasses may keep a smaller state.

        Args:
            x: (B, T, n_keys), the next columns.
            state: returned by the previous call; `None` at the start of the rolls.

        Returns:
            The logits (B, T, n_keys) of the column that follows each of `x`, and the new state.
        """
        seen = x if state is None else torch.cat([state, x], 1)
        logits: Tensor = self(seen)
        return logits[:, -x.shape[1] :], seen


class CausalConv1d(nn.Conv1d):
    """A convolution over time whose output at t depends on inputs up to t only.

    Args:
        in_channels, out_channels: of the input and the output.
        kernel_size: number of columns that an output depends on, `dilation` apart.
        dilation: 1 or more.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation)
        self.reach = (kernel_size - 1) * dilation
        """Number of past steps that an output depends on."""

    def advance(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map (B, in_channels, T), and the steps before it, to (B, out_channels, T) and the new past."""
        if past is None:
            past = x.new_zeros(len(x), x.shape[1], self.reach)
        seen = torch.cat([past, x], -1)
        return super().forward(seen), seen[..., seen.shape[-1] - self.reach :]

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, in_channels, T) to (B, out_channels, T)."""
        return super().forward(F.pad(input, (self.reach, 0)))


class Lags(nn.Module):
    """Appends to each column those at fixed lags before the predicted column, since music repeats itself.

    Args:
        n_keys: columns of the roll.
        lags: in steps before the predicted column, each 2 to 65,536 (1 is the column itself).

    Raises:
        UserError: a lag is outside its range.
    """

    @checks("model")
    def __init__(
        self, n_keys: int, lags: Annotated[Sequence[int], each(whole(2, MOST_LAG), least=0)]
    ) -> None:
        super().__init__()
        self.lags = tuple(lags)
        self.reach = max(self.lags, default=1) - 1
        self.width = n_keys * (1 + len(self.lags))
        """Features per step."""

    def advance(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map (B, T, n_keys), and the columns before it, to (B, T, width) and the new past."""
        if past is None:
            past = x.new_zeros(len(x), self.reach, x.shape[2])
        seen = torch.cat([past, x], 1)
        first = seen.shape[1] - x.shape[1]
        lagged = [seen[:, first + 1 - lag : seen.shape[1] + 1 - lag] for lag in self.lags]
        return torch.cat([x, *lagged], -1), seen[:, seen.shape[1] - self.reach :]


def output_layer(width: int, n_keys: int) -> Float32Linear:
    """Return a float32 output layer, with initial biases that make most keys silent."""
    layer = Float32Linear(width, n_keys)
    nn.init.constant_(layer.bias, OFF)
    return layer
