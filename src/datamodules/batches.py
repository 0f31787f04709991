"""Batches of items of an array, read at once instead of item by item."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler


class ArrayDataset(Dataset[tuple[Tensor, Tensor]]):
    """Gives the items of arrays by their numbers, many at once.

    Args:
        features: (n_items, n_mels, frames).
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
            features (B, 1, n_mels, frames) and targets (B, ...), in the arrays' types.
        """
        features = torch.from_numpy(self._features[indices])
        return features.unsqueeze(1), torch.from_numpy(self._targets[indices])


class OrderedBatches(Sampler[np.ndarray]):
    """The numbers of all items in order, a batch at a time; the last batch may be smaller.

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
    """The numbers of all items in an order that depends on seed and epoch only, a batch at a time.

    An incomplete last batch is left out, unless it is the only one. All processes get as many items.

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
        mine = order[self.rank :: self.world_size][: self._share]
        for batch in range(len(self)):
            # Neighbours in the file are read one after the other.
            yield np.sort(mine[batch * self.batch_size : (batch + 1) * self.batch_size])

    @property
    def _share(self) -> int:
        return self.n_items // self.world_size


def loader(dataset: ArrayDataset, batches: Sampler[np.ndarray]) -> DataLoader[tuple[Tensor, Tensor]]:
    """Read whole batches in this process; a worker process would cost more than it saves."""
    return DataLoader(dataset, batch_size=None, sampler=batches, num_workers=0)
