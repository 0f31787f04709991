"""TinySOL: single notes of 14 orchestral instruments, each of which is a class.

Its own five folds share no recording, but notes of the same instrument and pitch are in several of them; `folds=pitch`
keeps these together.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from torch.utils.data import Sampler

from src.datamodules.batches import ShuffledBatches
from src.datamodules.notes.base import NoteDataModule, NoteOptions
from src.datamodules.notes.makers import FULL_SCALE
from src.datamodules.notes.store import NoteStore
from src.rules import one_of
from src.splitting.splits import SPLITS

FILLS = ("silence", "repeat")


class NoteMaker:
    """Makes items of the first seconds of notes; it pickles, so worker processes can use it.

    Args:
        store: the sounds.
        classes: numbers of the notes, by class.
        samples: length of an item.
        fill: `silence` or `repeat`: what follows a note that is shorter.
    """

    def __init__(self, store: NoteStore, classes: Sequence[np.ndarray], samples: int, fill: str) -> None:
        self._store, self._samples, self._n_classes, self._fill = store, samples, len(classes), fill
        self._numbers = np.concatenate(classes)
        self._labels = np.repeat(np.arange(len(classes)), [len(numbers) for numbers in classes])

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return sounds, float32 (B, samples), and classes (B,)."""
        stored, numbers = self._store.open(), self._numbers[indices]
        sounds = np.zeros((len(indices), self._samples), np.float32)
        beginnings = stored["sound"][numbers, : self._samples]
        sounds[:, : beginnings.shape[1]] = beginnings / np.float32(FULL_SCALE)
        if self._fill == "repeat":
            for sound, length in zip(sounds, stored["length"][numbers], strict=True):
                sound[:] = np.resize(sound[:length], self._samples)
        return sounds, self._labels[indices]

    def marks(self, indices: np.ndarray) -> np.ndarray:
        """Return the classes of notes as 0 and 1, uint8 (B, C)."""
        marks: np.ndarray = np.eye(self._n_classes, dtype=np.uint8)[self._labels[indices]]
        return marks


class TinySOL(NoteDataModule):
    """Single notes.

    Args:
        fill: `silence` or `repeat`: what follows a note that is shorter than an item. `repeat` suits networks that
            were trained on music.
        options: see `NoteOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "tinysol"
    target = "multiclass"
    grouped_by = "recording"

    class Options(NoteOptions):
        """See `TinySOL`."""

        fill: Annotated[str, one_of(*FILLS)]

    options: Options

    @classmethod
    def repeats_short_sounds(cls, options: Mapping[str, Any]) -> bool:
        """Whether notes shorter than an item are repeated."""
        return options.get("fill") == "repeat"

    def setup(self, stage: str | None = None) -> None:
        """Count the notes of each split, and check that it has some of every instrument.

        Raises:
            UserError: a split has none of some instrument.
        """
        super().setup(stage)
        self.n_items = {split: sum(map(len, self.pools[split])) for split in SPLITS}

    def recipe(self) -> dict[str, Any]:
        """Return the recipe of `NoteDataModule`, and what follows a short note."""
        return super().recipe() | {"fill": self.options.fill}

    def maker(self, split: str) -> NoteMaker:
        """Return the maker of the items of a split."""
        return NoteMaker(self.store, self.pools[split], self.samples, self.options.fill)

    def numbers(self, split: str) -> np.ndarray:
        """Return the number of each note of a split, int64 (N,)."""
        return np.concatenate(self.pools[split])

    def train_batches(self) -> Sampler[np.ndarray]:
        """Return the numbers of the training notes, in batches whose order depends only on seed and epoch."""
        return ShuffledBatches(self.n_items["train"], self.batch_size, self.shuffle_seed, *self._place())
