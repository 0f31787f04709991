"""The interface of data that music is generated from."""

from typing import Protocol, runtime_checkable

import numpy as np

from src.audio.roll import Grid


@runtime_checkable
class RollData(Protocol):
    """Piano rolls of pieces.

    Attributes:
        grid: of the rolls, or `None` where the length of a step is unknown.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        onsets: whether columns are [sounding | onsets], C = 2 · n_notes; else C = n_notes.
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
