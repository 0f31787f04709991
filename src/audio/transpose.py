"""Transposition of piano rolls, on the device that trains."""

from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from src import rules
from src.options import checks
from src.rules import flag, whole


class Transpose(nn.Module):
    """Transposes a share of the rolls up or down, each by its own number of semitones; no note leaves the keyboard.

    Args:
        semitones: the most, 0 or more; the shift is uniform in both directions, reduced where notes would be lost.
        share: of the rolls that are transposed, 0 to 1.
        onsets: whether the columns are [sounding | onsets] instead of the sounding keys alone.

    Raises:
        UserError: an option is outside its range.
    """

    targets: ClassVar[tuple[str, ...]] = ("rolls",)

    @checks("augment.transpose")
    def __init__(
        self,
        semitones: Annotated[int, whole(0)],
        share: Annotated[float, rules.share],
        onsets: Annotated[bool, flag],
    ) -> None:
        super().__init__()
        self.semitones, self.share, self.planes = semitones, share, 2 if onsets else 1

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Transpose rolls (B, T, C), 0 or 1; `y`, their lengths (B,), is unchanged."""
        # (B, T, planes, n_notes): onsets move with their keys.
        rolls = x.reshape(*x.shape[:-1], self.planes, -1)
        n_notes = rolls.shape[-1]
        shift = torch.randint(-self.semitones, self.semitones + 1, (len(x),), device=x.device)
        shift = torch.where(torch.rand(len(x), device=x.device) < self.share, shift, 0)
        # Limit each shift so that the lowest and the highest used key stay on the keyboard; an empty roll has neither.
        used = rolls.amax((1, 2)) > 0
        keys = torch.arange(n_notes, device=x.device)
        lowest = torch.where(used, keys, n_notes).amin(1).clamp(max=n_notes - 1)
        highest = torch.where(used, keys, -1).amax(1).clamp(min=0)
        shift = shift.maximum(-lowest).minimum(n_notes - 1 - highest)
        # Key k of the result comes from key k − shift, and is 0 where there is no such key.
        source = keys - shift[:, None]
        inside = (source >= 0) & (source < n_notes)
        index = source.clamp(0, n_notes - 1)[:, None, None].expand_as(rolls)
        return (rolls.gather(-1, index) * inside[:, None, None]).flatten(-2), y
