"""Attention to earlier positions of a piece that resemble the current one, reading the columns that followed them."""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src.options import checks
from src.rules import Rule, Unfit, each, whole

SIMILARITIES = 3
"""Of two columns: Jaccard similarity of their keys, the same highest key, the same lowest key."""

ROWS = 256
"""Columns that are compared with all earlier ones at once; bounds the memory for long pieces."""

SMOOTHING = 0.1  # two silent columns are alike
MATCH_SCALE, DISTANCE_SCALE = 3.0, 4.0  # larger steps for these few weights under one learning rate


def _power_of_2(key: str, value: Any) -> int:
    if whole(1).read(key, value) & (value - 1):
        raise Unfit
    return int(value)


POWER_OF_2 = Rule("a power of 2, such as 8", _power_of_2)


class Recall(nn.Module):
    """Reads, at each step, the columns that followed similar positions, since music repeats itself.

    The similarity of positions s < t is measured on their last w columns, for each w of `windows`. Each head has its
    own weights of these measures, and of the distance t − s; its attention is a softmax of the weighted sum over all s
    and an option `nowhere`. Nothing depends on absolute pitch, so transposed pieces are treated equally.

    Args:
        heads: number of columns that are read at each step.
        windows: lengths in columns, each a power of 2.
        far: distances up to here have a weight each, greater ones share the last; 0: distance doesn't count.

    Raises:
        UserError: an option is outside its range.
    """

    @checks("model")
    def __init__(self, heads: int, windows: Annotated[Sequence[int], each(POWER_OF_2)], far: int) -> None:
        super().__init__()
        self.heads, self.windows, self.far = heads, tuple(sorted(windows)), far
        n = len(windows)
        # Initial weights (heads, similarities · windows) favour Jaccard similarity and are equal for all windows,
        # except for a little noise, which lets heads differ.
        start = torch.tensor([6.0, 2.0, 2.0]).repeat_interleave(n) / n / MATCH_SCALE
        self.match = nn.Parameter(start + 0.03 * torch.randn(heads, SIMILARITIES * n))
        self.distance = nn.Parameter(torch.zeros(heads, far + 1)) if far else None
        self.nowhere = nn.Parameter(torch.full((heads,), 5.0))

    def forward(self, x: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
        """Read what followed positions similar to each of the last `rows` columns.

        Args:
            x: (B, T, n_keys), 0 or 1, all columns of the pieces so far.
            rows: number of queries, the last columns; `None`: all.

        Returns:
            The columns read (B, rows, heads, n_keys), and the total attention to positions, rather than to `nowhere`
            (B, rows, heads), both 0 to 1.
        """
        length = x.shape[1]
        first = 0 if rows is None else length - rows
        blocks = [self._block(x, at, min(at + ROWS, length)) for at in range(first, length, ROWS)]
        read, found = zip(*blocks, strict=True)
        return torch.cat(read, 1), torch.cat(found, 1)

    def _block(self, x: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Read for the queries `start` to `stop`, which see only columns before themselves."""
        seen = x[:, :stop]
        # Scores (B, heads, queries, positions), −inf where a position is not before the query.
        scores = torch.einsum("hf,bfts->bhts", MATCH_SCALE * self.match, self._likeness(seen, start))
        apart = torch.arange(start, stop, device=x.device)[:, None] - torch.arange(stop, device=x.device)
        if self.distance is not None:
            scores = scores + DISTANCE_SCALE * self.distance[:, apart.clamp(0, self.far)]
        scores = scores.masked_fill(apart <= 0, -torch.inf)
        nowhere = self.nowhere[:, None, None].expand(len(x), -1, stop - start, 1)
        attention = torch.cat([nowhere, scores], -1).softmax(-1)[..., 1:]
        # Weighted by the attention (B, heads, queries, positions), the column after each position is read.
        followed = F.pad(seen[:, 1:], (0, 0, 0, 1))  # the last place is masked: nothing follows it yet
        read = torch.einsum("bhts,bsk->bthk", attention, followed)
        return read, attention.sum(-1).transpose(1, 2)

    @torch.no_grad()
    def _likeness(self, x: Tensor, start: int) -> Tensor:
        """Return the similarity of each column from `start` on to each column: (B, features, rows, T), 0 to 1."""
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            before = min(start, self.windows[-1] - 1)
            asked = slice(start - before, None)
            sums, width, found = _similarities(x[:, asked], x), 1, []
            while True:
                if width in self.windows:
                    found.append(sums / width)
                if width == self.windows[-1]:
                    return torch.stack(found, 2).flatten(1, 2)[:, :, before:]
                # The sum over the last 2w columns is the sum over the last w plus that over the w before them.
                doubled = sums.clone()
                doubled[..., width:, width:] += sums[..., :-width, :-width]
                sums, width = doubled, 2 * width


def _similarities(asked: Tensor, x: Tensor) -> Tensor:
    """Return the similarities of single columns: (B, R, n_keys) and (B, T, n_keys) -> (B, SIMILARITIES, R, T)."""
    common = asked @ x.mT
    either = asked.sum(-1)[:, :, None] + x.sum(-1)[:, None] - common
    jaccard = (common + SMOOTHING) / (either + SMOOTHING)
    return torch.stack([jaccard, _highest(asked) @ _highest(x).mT, _lowest(asked) @ _lowest(x).mT], 1)


def _lowest(x: Tensor) -> Tensor:
    return x * (x.cumsum(-1) == 1)


def _highest(x: Tensor) -> Tensor:
    return _lowest(x.flip(-1)).flip(-1)
