"""Batches of piano rolls of differing lengths: windows to train on, whole pieces to measure."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from src.datamodules.rolls.piece import unpack

MOST_COLUMNS = 2**13
"""Columns of a batch of whole pieces, padding counted; a longer piece is a batch by itself."""

_JITTER = 0.2  # how far a piece's length is moved before pieces are sorted by it: their company varies


class RollDataset(Dataset[tuple[Tensor, Tensor]]):
    """Gives stretches of packed rolls, a batch at once.

    Args:
        packed: each uint8 (F, bytes), the columns of all pieces, keys packed to bits; side by side they are a
            roll: the sounding keys, or those and the onsets.
        n_notes: keys of each.
    """

    def __init__(self, packed: tuple[np.ndarray, ...], n_notes: int) -> None:
        self._packed, self._n_notes = packed, n_notes

    def __len__(self) -> int:
        return len(self._packed[0])

    def __getitem__(self, stretches: np.ndarray) -> tuple[Tensor, Tensor]:
        """Read stretches.

        Args:
            stretches: int64 (B, 2), first column and number of columns of each.

        Returns:
            rolls uint8 (B, T, C), 0 or 1, T the longest, zero past the end; lengths int64 (B,).
        """
        starts, lengths = stretches.T
        steps = np.arange(lengths.max())
        inside = steps < lengths[:, None]
        columns = np.where(inside, starts[:, None] + steps, 0)
        rolls = np.concatenate([unpack(array[columns], self._n_notes) for array in self._packed], axis=-1)
        rolls *= inside[..., None]
        return torch.from_numpy(rolls), torch.from_numpy(lengths.astype(np.int64))


class TrainingStretches(Sampler[np.ndarray]):
    """Windows of all pieces, or whole pieces, in an order that depends on seed and epoch only.

    A piece of L columns gives max(1, (L - 1) // n_steps) windows of n_steps + 1 columns that overlap by one;
    where the first begins is drawn anew each epoch, so that every column is trained on in time. A shorter
    piece is one shorter item. Whole pieces come in batches of similar length. An incomplete last batch is
    left out, unless it is the only one; all processes get as many batches, and each epoch has as many.

    Args:
        starts: int64 (n_pieces,), first column of each piece.
        lengths: int64 (n_pieces,), columns of each piece, >= 2.
        n_steps: predicted steps a window; `None` takes whole pieces.
        batch_size: items a batch.
        seed: of the order, >= 0.
        rank: number of this process.
        world_size: number of processes that train together.
    """

    def __init__(
        self,
        starts: np.ndarray,
        lengths: np.ndarray,
        *,
        n_steps: int | None,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self._starts, self._lengths, self._n_steps = starts, lengths, n_steps
        self._counts = np.ones_like(lengths) if n_steps is None else np.maximum(1, (lengths - 1) // n_steps)
        self.batch_size, self.seed, self.rank, self.world_size = batch_size, seed, rank, world_size
        self.n_items = int(self._counts.sum())
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's windows and order; Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, self.n_items // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[np.ndarray]:
        rng = np.random.default_rng([self.seed, self.epoch])
        stretches = self._stretches(rng)
        stretches = rng.permutation(stretches)[: len(self) * self.batch_size * self.world_size]
        if len(stretches) < self.world_size:
            stretches = np.resize(stretches, (self.world_size, 2))
        if self._n_steps is None:
            near = stretches[:, 1] * rng.uniform(1 - _JITTER, 1 + _JITTER, len(stretches))
            stretches = stretches[np.argsort(near, kind="stable")]
        for batch in rng.permutation(len(self)):
            size = self.batch_size * self.world_size
            shared = stretches[batch * size : (batch + 1) * size]
            share = len(shared) // self.world_size
            yield shared[self.rank :: self.world_size][:share]

    def _stretches(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the epoch's windows, int64 (n_items, 2): first column and number of columns."""
        if self._n_steps is None:
            return np.stack([self._starts, self._lengths], axis=1)
        spare = np.maximum(0, self._lengths - 1 - self._counts * self._n_steps)
        first = self._starts + rng.integers(0, spare + 1)
        window = np.arange(self.n_items) - np.repeat(np.cumsum(self._counts) - self._counts, self._counts)
        starts = np.repeat(first, self._counts) + window * self._n_steps
        lengths = np.repeat(np.minimum(self._lengths, self._n_steps + 1), self._counts)
        return np.stack([starts, lengths], axis=1)


class WholePieces(Sampler[np.ndarray]):
    """All pieces in order, as many a batch as `MOST_COLUMNS` holds with padding.

    Args:
        starts: int64 (n_pieces,), first column of each piece.
        lengths: int64 (n_pieces,), columns of each piece.
    """

    def __init__(self, starts: np.ndarray, lengths: np.ndarray) -> None:
        self._stretches = np.stack([starts, lengths], axis=1)
        self._bounds = _bounds(lengths.tolist())

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        for first, last in zip(self._bounds, self._bounds[1:], strict=False):
            yield self._stretches[first:last]


def roll_loader(dataset: RollDataset, stretches: Sampler[np.ndarray]) -> DataLoader[tuple[Tensor, Tensor]]:
    """Read whole batches in this process; a worker process would cost more than it saves."""
    return DataLoader(dataset, batch_size=None, sampler=stretches, num_workers=0)


def _bounds(lengths: list[int]) -> list[int]:
    """Give the number of each batch's first piece, and the number of pieces at the end."""
    bounds, longest = [0], 0
    for number, length in enumerate(lengths):
        longest = max(longest, length)
        if number > bounds[-1] and (number + 1 - bounds[-1]) * longest > MOST_COLUMNS:
            bounds.append(number)
            longest = length
    return [*bounds, len(lengths)]
