"""TinySOL: single notes of 14 orchestral instruments, one class each.

Its own five folds share no recording, but they do share notes of one instrument and pitch; `folds=pitch` keeps those
together.
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
    """Gives the first seconds of notes; it can be sent to another process.

    Args:
        store: the sounds.
        classes: numbers of the notes, by class.
        samples: length of an item.
        fill: `silence` or `repeat`, what follows a note that is shorter.
    """

    def __init__(self, store: NoteStore, classes: Sequence[np.ndarray], samples: int, fill: str) -> None:
        self._store, self._samples, self._n_classes, self._fill = store, samples, len(classes), fill
        self._numbers = np.concatenate(classes)
        self._labels = np.repeat(np.arange(len(classes)), [len(numbers) for numbers in classes])

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give sounds, float32 (B, samples), and classes (B,)."""
        stored, numbers = self._store.open(), self._numbers[indices]
        sounds = np.zeros((len(indices), self._samples), np.float32)
        part = stored["sound"][numbers, : self._samples]
        sounds[:, : part.shape[1]] = part / np.float32(FULL_SCALE)
        if self._fill == "repeat":
            for sound, length in zip(sounds, stored["length"][numbers], strict=True):
                sound[:] = np.resize(sound[:length], self._samples)
        return sounds, self._labels[indices]

    def marks(self, indices: np.ndarray) -> np.ndarray:
        """Give the classes of notes as 0 and 1, uint8 (B, C)."""
        marks: np.ndarray = np.eye(self._n_classes, dtype=np.uint8)[self._labels[indices]]
        return marks


class TinySOL(NoteDataModule):
    """Notes one by one.

    Args:
        fill: `silence` or `repeat`, what follows a note that is shorter than an item. A network that was trained on
            music wants the note again and again.
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
        """Whether short notes were repeated."""
        return options.get("fill") == "repeat"

    def setup(self, stage: str | None = None) -> None:
        """Count the notes of each part, and refuse one without a note of some instrument.

        Raises:
            UserError: there is one.
        """
        super().setup(stage)
        self.n_items = {split: sum(map(len, self.pools[split])) for split in SPLITS}

    def recipe(self) -> dict[str, Any]:
        """See `NoteDataModule`; and what follows a short note."""
        return super().recipe() | {"fill": self.options.fill}

    def maker(self, split: str) -> NoteMaker:
        """Give what reads the notes of a part."""
        return NoteMaker(self.store, self.pools[split], self.samples, self.options.fill)

    def train_batches(self) -> Sampler[np.ndarray]:
        """Give the training notes in an order that depends on seed and epoch only."""
        return ShuffledBatches(self.n_items["train"], self.batch_size, self.shuffle_seed, *self._place())
