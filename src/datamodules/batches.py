"""Batches of items of an array, read at once instead of item by item."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler


class ArrayDataset(Dataset[tuple[Tensor, Tensor]]):
    """Items of arrays; an index is an array of item numbers, and the result a whole batch.

    Args:
        features: (n_items, channels, n_mels, frames).
        targets: (n_items, ...).
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray) -> None:
        self._features, self._targets = features, targets

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Read items.

        Args:
            indices: int64 (B,).

        Returns:
            features (B, channels, n_mels, frames) and targets (B, ...), in the arrays' types.
        """
        return torch.from_numpy(self._features[indices]), torch.from_numpy(self._targets[indices])


class OrderedBatches(Sampler[np.ndarray]):
    """Item numbers in order, a batch at a time; the last batch may be smaller.

    Args:
        n_items: number of items.
        batch_size: items a batch.
        rank: number of this process; it gets every `world_size`-th item.
        world_size: number of processes.
    """

    def __init__(self, n_items: int, batch_size: int, rank: int = 0, world_size: int = 1) -> None:
        self.indices = np.arange(rank, n_items, world_size)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.indices) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.indices), self.batch_size):
            yield self.indices[start : start + self.batch_size]


class ShuffledBatches(Sampler[np.ndarray]):
    """Item numbers in an order that depends only on seed and epoch, a batch at a time.

    An incomplete last batch is left out, unless it is the only one. All processes get equally many items.

    Args:
        n_items: number of items.
        batch_size: items a batch.
        seed: of the order, >= 0.
        rank: number of this process; it gets every `world_size`-th item of the order.
        world_size: number of processes.
    """

    def __init__(self, n_items: int, batch_size: int, seed: int, rank: int = 0, world_size: int = 1) -> None:
        self.n_items, self.batch_size, self.seed = n_items, batch_size, seed
        self.rank, self.world_size = rank, world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order; Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, self._share // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n_items)
        own_items = order[self.rank :: self.world_size][: self._share]
        for batch in range(len(self)):
            # Sorted, so that the file is read from front to back.
            yield np.sort(own_items[batch * self.batch_size : (batch + 1) * self.batch_size])

    @property
    def _share(self) -> int:
        return self.n_items // self.world_size


class RecordingDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """All windows of recordings; an index is an array of recording numbers.

    Args:
        features: (n_windows, channels, n_mels, frames), grouped by recording.
        targets: (n_windows, ...), equal for all windows of a recording.
        counts: int64 (n_recordings,), windows of each, >= 1.
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray, counts: np.ndarray) -> None:
        self._features, self._targets, self._counts = features, targets, counts
        self._starts = np.cumsum(counts) - counts

    def __len__(self) -> int:
        return len(self._counts)

    def __getitem__(self, numbers: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Read recordings.

        Args:
            numbers: int64 (F,), of recordings.

        Returns:
            features (W, channels, n_mels, frames) of all their windows, targets (F, ...), counts int64 (F,).
        """
        starts, counts = self._starts[numbers], self._counts[numbers]
        spans = zip(starts, counts, strict=True)
        windows = np.concatenate([np.arange(start, start + count) for start, count in spans])
        read = self._features[windows], self._targets[starts], counts
        features, targets, sizes = (torch.from_numpy(values) for values in read)
        return features, targets, sizes


class WholeRecordings(Sampler[np.ndarray]):
    """Recording numbers in order, as many in a batch as fit by their windows.

    Args:
        counts: int64 (n_recordings,), windows of each.
        batch_size: windows a batch; a longer recording is a batch by itself.
    """

    def __init__(self, counts: np.ndarray, batch_size: int) -> None:
        self._bounds, windows = [0], 0
        for number, count in enumerate(counts.tolist()):
            if windows and windows + count > batch_size:
                self._bounds.append(number)
                windows = 0
            windows += count
        self._bounds.append(len(counts))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        for first, last in zip(self._bounds, self._bounds[1:], strict=False):
            yield np.arange(first, last)


def loader(dataset: Dataset[Any], batches: Sampler[np.ndarray]) -> DataLoader[Any]:
    """Return a loader of whole batches that reads in this process: worker processes would cost more than they save."""
    return DataLoader(dataset, batch_size=None, sampler=batches, num_workers=0)
