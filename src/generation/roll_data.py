"""What generation asks of the data that a network was trained on."""

from typing import Protocol, runtime_checkable

import numpy as np

from src.audio.roll import Grid


@runtime_checkable
class RollData(Protocol):
    """Pieces as piano rolls, set up.

    Attributes:
        grid: what a step is, or `None` where that is unknown.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        onsets: whether C = 2 · n_notes columns carry onsets behind the keys; else C = n_notes.
    """

    grid: Grid | None
    lowest_note: int
    n_notes: int
    onsets: bool

    def names(self, split: str) -> list[str]:
        """Return the names of the pieces of a split."""

    def columns(self, split: str, number: int) -> np.ndarray:
        """Return the columns of a piece of a split, bool (T, C)."""

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of all pieces of a split, bool (F, C), and their lengths (n_pieces,)."""
