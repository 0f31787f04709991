"""Batches of piano rolls of different lengths: windows for training, whole pieces for evaluation."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from src.datamodules.rolls.piece import unpack

MOST_COLUMNS = 2**13
"""Most columns of a batch of whole pieces, padding included; a longer piece is a batch by itself."""

_JITTER = 0.2  # random share by which lengths are changed for sorting, so that batches differ between epochs


class RollDataset(Dataset[tuple[Tensor, Tensor]]):
    """Stretches of packed rolls; an index is a batch of stretches.

    Args:
        packed: the sounding keys, or those and the onsets; each uint8 (F, bytes), the columns of all pieces with keys
            packed to bits. Unpacked and side by side they are the roll.
        n_notes: number of keys of each.
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
            rolls uint8 (B, T, C), 0 or 1, padded with 0 to the longest stretch T; lengths int64 (B,).
        """
        starts, lengths = stretches.T
        steps = np.arange(lengths.max())
        # (B, T): where a stretch has a column, and which; past its end column 0 is read and then set to zero.
        inside = steps < lengths[:, None]
        columns = np.where(inside, starts[:, None] + steps, 0)
        rolls = np.concatenate([unpack(array[columns], self._n_notes) for array in self._packed], axis=-1)
        rolls *= inside[..., None]
        return torch.from_numpy(rolls), torch.from_numpy(lengths.astype(np.int64))


class TrainingStretches(Sampler[np.ndarray]):
    """Windows of all pieces, or whole pieces, in an order that depends only on seed and epoch.

    A piece of L columns gives max(1, (L - 1) // n_steps) windows of n_steps + 1 columns, which overlap by one. The
    start of the first window is drawn anew each epoch, so that in time every column is trained on. A piece shorter
    than a window is one shorter item. Whole pieces are batched by similar length. An incomplete last batch is left
    out, unless it is the only one; the number of batches is the same for all processes and epochs.

    Args:
        starts: int64 (n_pieces,), first column of each piece.
        lengths: int64 (n_pieces,), columns of each piece, >= 2.
        n_steps: number of predicted steps of a window; `None`: whole pieces.
        batch_size: items of a batch.
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
            # Whole pieces are sorted by length, roughly, so that a batch needs little padding.
            jittered = stretches[:, 1] * rng.uniform(1 - _JITTER, 1 + _JITTER, len(stretches))
            stretches = stretches[np.argsort(jittered, kind="stable")]
        for batch in rng.permutation(len(self)):
            size = self.batch_size * self.world_size
            shared = stretches[batch * size : (batch + 1) * size]
            share = len(shared) // self.world_size
            yield shared[self.rank :: self.world_size][:share]

    def _stretches(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the epoch's windows, int64 (n_items, 2): first column and number of columns."""
        if self._n_steps is None:
            return np.stack([self._starts, self._lengths], axis=1)
        # Columns that the windows of a piece leave over; its first window begins after 0 to all of them.
        spare = np.maximum(0, self._lengths - 1 - self._counts * self._n_steps)
        first = self._starts + rng.integers(0, spare + 1)
        # Number of each window in its piece, int64 (n_items,): 0, 1, … count - 1, and again from 0 for the next.
        window = np.arange(self.n_items) - np.repeat(np.cumsum(self._counts) - self._counts, self._counts)
        starts = np.repeat(first, self._counts) + window * self._n_steps
        # One column more than is predicted: the first has nothing before it. A short piece ends earlier.
        lengths = np.repeat(np.minimum(self._lengths, self._n_steps + 1), self._counts)
        return np.stack([starts, lengths], axis=1)


class WholePieces(Sampler[np.ndarray]):
    """All pieces in order, in batches of at most `MOST_COLUMNS` columns, padding included.

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
    """Return a loader of whole batches that reads in this process: worker processes would cost more than they save."""
    return DataLoader(dataset, batch_size=None, sampler=stretches, num_workers=0)


def _bounds(lengths: list[int]) -> list[int]:
    """Return the number of the first piece of each batch, followed by the number of pieces."""
    bounds, longest = [0], 0
    for number, length in enumerate(lengths):
        longest = max(longest, length)
        if number > bounds[-1] and (number + 1 - bounds[-1]) * longest > MOST_COLUMNS:
            bounds.append(number)
            longest = length
    return [*bounds, len(lengths)]
