"""Batches of mixtures and notes as sounds; the device that trains computes their spectrograms."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from src.audio.speed import at_speed, speed
from src.datamodules.batches import ShuffledBatches


class ItemMaker(Protocol):
    """Makes the items of a split from their numbers, int64 (B,); must pickle, to be sent to worker processes."""

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return sounds, float32 (B, samples), and targets (B, …)."""

    def marks(self, indices: np.ndarray) -> np.ndarray:
        """Return the classes of items, 0 or 1, uint8 (B, C), without making their sounds."""


class SoundDataset(Dataset[tuple[Tensor, Tensor]]):
    """Items made on access; an index is an array of item numbers.

    Args:
        make: makes the items.
    """

    def __init__(self, make: ItemMaker) -> None:
        self._make = make

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return sounds (B, samples) and targets (B, …) of items (B,)."""
        sounds, targets = self._make(indices)
        return torch.from_numpy(sounds), torch.from_numpy(targets)


class ShiftedSounds(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Items made on access, each played at several speeds; the model's outputs for them are averaged.

    Args:
        make: makes the items.
        shifts: semitones.
    """

    def __init__(self, make: ItemMaker, shifts: Sequence[float]) -> None:
        self._make, self._speeds = make, [speed(semitones) for semitones in shifts]

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Return sounds (B · n, samples), the n shifts of an item side by side, targets (B, …), and n as int64 (B,)."""
        sounds, targets = self._make(indices)
        played = np.zeros((len(sounds), len(self._speeds), sounds.shape[1]), np.float32)
        for sound, shifted in zip(sounds, played, strict=True):
            for row, factor in zip(shifted, self._speeds, strict=True):
                moved = at_speed(sound, factor)[: len(row)]
                row[: len(moved)] = moved
        counts = torch.full((len(sounds),), len(self._speeds))
        return torch.from_numpy(played).flatten(0, 1), torch.from_numpy(targets), counts


class FreshBatches(ShuffledBatches):
    """The numbers n·epoch to n·(epoch + 1) - 1 in random order: items that no earlier epoch had."""

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in super().__iter__():
            yield batch + self.epoch * self.n_items


def sound_loader(
    dataset: Dataset[Any], batches: Sampler[np.ndarray], loaders: int
) -> DataLoader[tuple[Tensor, ...]]:
    """Return a loader that makes batches in `loaders` processes of their own, or with 0 in this process."""
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=batches,
        num_workers=loaders,
        persistent_workers=loaders > 0,
        pin_memory=torch.cuda.is_available(),
    )
