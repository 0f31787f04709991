"""TinySOL: single notes of 14 orchestral instruments, one class each.

Its own five folds share no recording, but they do share notes of one instrument and pitch; `folds=pitch` keeps those
together.
"""

import functools

import numpy as np
from torch.utils.data import Sampler

from src.datamodules.base import SPLITS
from src.datamodules.batches import ShuffledBatches
from src.datamodules.notes import NoteDataModule
from src.notes.makers import FULL_SCALE
from src.notes.store import NoteStore


class NoteMaker:
    """Gives the first seconds of notes; it can be sent to another process.

    Args:
        store: the sounds.
        numbers: of the notes, int64 (n,).
        labels: their classes, int64 (n,).
        samples: length of an item.
    """

    def __init__(self, store: NoteStore, numbers: np.ndarray, labels: np.ndarray, samples: int) -> None:
        self._store, self._numbers, self._labels, self._samples = store, numbers, labels, samples

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give sounds, float32 (B, samples), followed by silence where they are shorter, and classes (B,)."""
        sounds = np.zeros((len(indices), self._samples), np.float32)
        part = self._store.open()["sound"][self._numbers[indices], : self._samples]
        sounds[:, : part.shape[1]] = part / np.float32(FULL_SCALE)
        return sounds, self._labels[indices]


class TinySOL(NoteDataModule):
    """Notes one by one; see `NoteDataModule` for the options."""

    name = "tinysol"
    target = "multiclass"
    grouped_by = "recording"

    def prepare_data(self) -> None:
        """Build the sounds.

        Raises:
            UserError: too many notes cannot be used, or a part has none of an instrument.
        """
        self.store.prepare(self._listed[1], self.workers, self.name, self.max_bad)
        self.n_items = {split: sum(map(len, self._pools[split])) for split in SPLITS}
        self.statistics()

    def maker(self, split: str) -> NoteMaker:
        """Give what reads the notes of a part."""
        pools = self._pools[split]
        labels = np.repeat(np.arange(len(pools)), [len(pool) for pool in pools])
        return NoteMaker(self.store, np.concatenate(pools), labels, self.samples)

    def train_batches(self) -> Sampler[np.ndarray]:
        """Give the training notes in an order that depends on seed and epoch only."""
        return ShuffledBatches(self.n_items["train"], self.batch_size, self.shuffle_seed, *self._place())

    @functools.cached_property
    def _pools(self) -> dict[str, list[np.ndarray]]:
        return {split: self.by_class(split) for split in SPLITS}
