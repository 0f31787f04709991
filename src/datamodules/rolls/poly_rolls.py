"""Pieces of the polyphonic music benchmark as piano rolls."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.datamodules.rolls.piece import Piece
from src.datamodules.rolls.poly_files import read_rolls


@dataclass(frozen=True)
class PolyMaker:
    """Makes piece `split/number` of a file; a key that sounds, but did not a step before, counts as an onset.

    Args:
        path: of the `.mat` or pickle file.
    """

    path: Path

    def __call__(self, piece_id: str) -> Piece:
        """Make a piece; its group is itself, since the benchmark names no tunes."""
        split, number = piece_id.split("/")
        sounding = _read(self.path)[split][int(number)]
        onsets = sounding.copy()
        onsets[1:] &= ~sounding[:-1]
        return Piece(name=piece_id, group=piece_id, sounding=sounding, onsets=onsets, split=split)

    def piece_ids(self) -> list[str]:
        """Return the ids of all pieces of the file."""
        return [
            f"{split}/{number:04d}"
            for split, rolls in _read(self.path).items()
            for number in range(len(rolls))
        ]


@functools.lru_cache(maxsize=1)
def _read(path: Path) -> dict[str, list[np.ndarray]]:
    return read_rolls(path)
