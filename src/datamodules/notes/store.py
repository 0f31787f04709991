"""The sounds of notes on disk, built once, and which of them can be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.notes.makers import Maker, arrays
from src.errors import UserError
from src.messages import say
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays

MAX_BAD = 0.01
"""Share of the notes that may be left out; more are an error."""

_NAMED = 10


@dataclass(frozen=True)
class NoteStore:
    """A folder with the sounds of notes.

    Args:
        folder: its path.
        n_notes: number of notes.
        samples: number of samples stored of each.
        description: of the notes, for people who look into `meta.json`.
    """

    folder: Path
    n_notes: int
    samples: int
    description: Mapping[str, Any]

    @property
    def cache(self) -> ArrayCache[ChunkedArrays]:
        """The arrays on disk."""
        return ArrayCache(ChunkedArrays(self.folder, self.n_notes, arrays(self.samples)), self.description)

    def prepare(self, make: Maker, workers: int | str, title: str, max_bad: float = MAX_BAD) -> None:
        """Build the sounds that are missing, and print which notes cannot be used.

        Args:
            make: makes the notes.
            workers: number of processes that build, or `auto`.
            title: for the progress bar.
            max_bad: share of the notes that may be unusable, 0..1.

        Raises:
            UserError: more notes are unusable.
        """
        fresh = not self.cache.is_complete()
        self.cache.prepare(Builder(make, workers, title))
        lengths, copies = self.lengths(), self.n_notes - len(self.usable()) - int((self.lengths() == 0).sum())
        if fresh and copies:
            say(f"{title}: {copies} notes are exact copies of others and are left out")
        self._name_bad(make, np.flatnonzero(lengths == 0), title, max_bad, fresh)

    def _name_bad(self, make: Maker, bad: np.ndarray, title: str, max_bad: float, fresh: bool) -> None:
        if not len(bad):
            return
        problems = [make.problem(int(index)) for index in bad[:_NAMED]]
        count = f"{title}: {len(bad)} of {self.n_notes} notes cannot be used"
        if len(bad) > max_bad * self.n_notes:
            raise UserError(f"{count}, more than {max_bad:.0%}: {'; '.join(problems)}")
        if fresh:
            say(f"{count} and are left out: {'; '.join(problems)}")

    def usable(self) -> np.ndarray:
        """Return the numbers of the notes that can be used, int64 (n,): those with sound, of exact copies the first."""
        arrays = self.open()
        sounding = np.flatnonzero(arrays["length"])
        _, first = np.unique(arrays["digest"][sounding], return_index=True)
        return sounding[np.sort(first)]

    def lengths(self) -> np.ndarray:
        """Return the length of each note's sound in samples, int64 (n_notes,); 0: it cannot be used."""
        return np.asarray(self.open()["length"])

    def open(self) -> dict[str, np.ndarray]:
        """Map `sound`, int16 (n_notes, samples), `length`, int64 (n_notes,), and `digest` into memory.

        Raises:
            UserError: they are not built.
        """
        if not self.cache.is_complete():
            raise UserError(f"{self.folder} is not built; run the command with mode=prepare")
        return self.cache.files.open()
