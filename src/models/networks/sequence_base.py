"""Common code of networks for sequences: a check of their input, masks, and pooling over actual frames."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from src.errors import UserError


class SequenceNetwork(nn.Module):
    """A network that maps (B, in_channels, n_rows, T) and the lengths (B,) of its items to logits (B, n_classes).

    Padding has no effect on the logits. Without lengths all T frames count, so that it also fits spectrograms of one
    length. Features should have mean 0 in each row. Its output layer is the attribute `head`, a `Float32Linear`.

    Args:
        in_channels: channels of the input.
        n_rows: rows of the input, such as mel bands.
        min_frames: the fewest frames of which every halving leaves at least one.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "multiclass", "regression")
    """The kinds of targets it fits."""

    inputs: ClassVar[tuple[str, ...]] = ("spectrograms", "sequences")
    """The kinds of items it fits."""

    def __init__(self, in_channels: int, n_rows: int, min_frames: int = 1) -> None:
        super().__init__()
        self.in_channels, self.n_rows, self.min_frames = in_channels, n_rows, min_frames

    def check(self, item_shape: Sequence[int]) -> None:
        """Refuse items that are too short for the network, or have another number of channels or rows.

        Args:
            item_shape: (channels, n_rows, T) of one item.

        Raises:
            UserError: the items don't fit.
        """
        channels, n_rows, frames = item_shape
        if (channels, n_rows) != (self.in_channels, self.n_rows):
            raise UserError(
                f"The network takes {self.in_channels} channels of {self.n_rows} rows, but items have {channels} of "
                f"{n_rows}: leave in_channels and n_rows to the data."
            )
        if frames < self.min_frames:
            raise UserError(
                f"Items of {frames} frames are too short for the network, which needs {self.min_frames}: use more "
                "frames, or fewer blocks."
            )


def frames_of(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the lengths of items on the device of `x`, int64 (B,), where `None` means T for all.

    Args:
        x: (B, ..., T).
        lengths: (B,), each in 1..T, or None.
    """
    if lengths is None:
        return torch.full((len(x),), x.shape[-1], device=x.device)
    return lengths.to(x.device)


def inside(lengths: Tensor, frames: int) -> Tensor:
    """Return a mask of the actual frames of items, bool (B, frames).

    Args:
        lengths: int64 (B,).
        frames: T.
    """
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def without_padding(x: Tensor, lengths: Tensor) -> Tensor:
    """Set the padding of each item to 0, as convolutions pad.

    Args:
        x: (B, ..., T).
        lengths: int64 (B,).
    """
    there = inside(lengths, x.shape[-1]).view(len(x), *[1] * (x.ndim - 2), x.shape[-1])
    return torch.where(there, x, torch.zeros((), dtype=x.dtype, device=x.device))


def mean_over_time(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean over each item's own frames in float32: (B, ..., T) -> (B, ...)."""
    shape = (len(x), *[1] * (x.ndim - 2))
    return without_padding(x, lengths).float().sum(-1) / lengths.view(shape).float()


def max_over_time(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the maximum over each item's own frames: (B, ..., T) -> (B, ...)."""
    there = inside(lengths, x.shape[-1]).view(len(x), *[1] * (x.ndim - 2), x.shape[-1])
    return x.masked_fill(~there, -torch.inf).amax(-1)
