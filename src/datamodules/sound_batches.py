"""Batches of mixtures and of notes, as sounds; their spectrograms are made on the device that trains."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from src.audio.speed import at_speed, speed
from src.datamodules.batches import ShuffledBatches


class ItemMaker(Protocol):
    """Makes the items of a part from their numbers, int64 (B,); it can be sent to another process."""

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give sounds, float32 (B, samples), and targets (B, …)."""

    def marks(self, indices: np.ndarray) -> np.ndarray:
        """Give the classes of items, 0 or 1, uint8 (B, C), without their sounds."""


class SoundDataset(Dataset[tuple[Tensor, Tensor]]):
    """Makes items when they are asked for, many at once.

    Args:
        make: makes them.
    """

    def __init__(self, make: ItemMaker) -> None:
        self._make = make

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Give sounds (B, samples) and targets (B, …) of items (B,)."""
        sounds, targets = self._make(indices)
        return torch.from_numpy(sounds), torch.from_numpy(targets)


class ShiftedSounds(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Makes items, each played at several speeds, as a recording is heard in several windows.

    Args:
        make: makes them.
        shifts: semitones.
    """

    def __init__(self, make: ItemMaker, shifts: Sequence[float]) -> None:
        self._make, self._speeds = make, [speed(semitones) for semitones in shifts]

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Give sounds (B · n, samples), the n shifts of an item side by side, targets (B, …), and n as int64 (B,)."""
        sounds, targets = self._make(indices)
        played = np.zeros((len(sounds), len(self._speeds), sounds.shape[1]), np.float32)
        for sound, shifted in zip(sounds, played, strict=True):
            for row, factor in zip(shifted, self._speeds, strict=True):
                part = at_speed(sound, factor)[: len(row)]
                row[: len(part)] = part
        counts = torch.full((len(sounds),), len(self._speeds))
        return torch.from_numpy(played).flatten(0, 1), torch.from_numpy(targets), counts


class FreshBatches(ShuffledBatches):
    """The numbers n·epoch to n·(epoch + 1) - 1 in random order: items that no epoch before has had."""

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in super().__iter__():
            yield batch + self.epoch * self.n_items


def sound_loader(
    dataset: Dataset[Any], batches: Sampler[np.ndarray], loaders: int
) -> DataLoader[tuple[Tensor, ...]]:
    """Load batches in `loaders` processes of their own, or with 0 in this one."""
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=batches,
        num_workers=loaders,
        persistent_workers=loaders > 0,
        pin_memory=torch.cuda.is_available(),
    )
