"""Augmentation of spectrograms in dB, on the device that trains."""

from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torchaudio.transforms import FrequencyMasking, TimeMasking

from src.options import checks
from src.rules import share, whole


class SpecAugment(nn.Module):
    """Masks bands of time and of frequency (Park et al. 2019), drawn anew for each example (`torchaudio.transforms`).

    Args:
        time_masks, frequency_masks: how many of each.
        time_width, frequency_width: the widest mask, in frames and in mel bands; widths are uniform from 0.

    Raises:
        UserError: a number is negative.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel", "multiclass", "regression")
    inputs: ClassVar[tuple[str, ...]] = ("spectrograms",)
    """Not sequences: a mask has one value, so all rows must have the same unit."""

    @checks("augment.spec_augment")
    def __init__(
        self,
        time_masks: Annotated[int, whole(0)],
        time_width: Annotated[int, whole(0)],
        frequency_masks: Annotated[int, whole(0)],
        frequency_width: Annotated[int, whole(0)],
    ) -> None:
        super().__init__()
        masks: list[nn.Module] = [TimeMasking(time_width, iid_masks=True) for _ in range(time_masks)]
        masks += [FrequencyMasking(frequency_width, iid_masks=True) for _ in range(frequency_masks)]
        self.masks = nn.ModuleList(masks)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mask (B, channels, n_mels, T) dB with each example's own quietest level; targets are unchanged."""
        kept = torch.ones_like(x)
        for mask in self.masks:
            kept = mask(kept)
        return torch.where(kept > 0, x, x.amin(dim=(1, 2, 3), keepdim=True)), y


class Mixing(nn.Module):
    """Adds the power spectra of two clips of the batch and combines their labels.

    The powers of uncorrelated sounds add up, so the mix is a clip with the instruments of both. The clips are mixed
    at the levels of their features: in dB relative to the maximum both are equally loud.

    Args:
        probability: share of the clips that another clip is added to, 0 to 1.

    Raises:
        UserError: the probability is outside its range.
    """

    targets: ClassVar[tuple[str, ...]] = ("multilabel",)
    inputs: ClassVar[tuple[str, ...]] = ("spectrograms",)
    scalings: ClassVar[tuple[str, ...]] = ("db_max", "db")
    """Scalings of features that it can mix: powers cannot be added where the level is lost."""

    @checks("augment.mixing")
    def __init__(self, probability: Annotated[float, share]) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mix (B, channels, n_mels, T) dB and combine 0/1 targets (B, C).

        The mix keeps the maximum and the floor in dB of the clip that the other one is added to.
        """
        partner = torch.randperm(len(x), device=x.device)
        chosen = torch.rand(len(x), device=x.device) < self.probability
        # Add powers, then shift the mix back to the maximum and clip it at the floor of the clip that is added to.
        power = torch.pow(10.0, x / 10) + torch.pow(10.0, x[partner] / 10)
        mixed = 10 * torch.log10(power)
        top, floor = x.amax(dim=(1, 2, 3), keepdim=True), x.amin(dim=(1, 2, 3), keepdim=True)
        mixed = (mixed - mixed.amax(dim=(1, 2, 3), keepdim=True) + top).maximum(floor)
        both = torch.maximum(y, y[partner])
        return torch.where(chosen[:, None, None, None], mixed, x), torch.where(chosen[:, None], both, y)
