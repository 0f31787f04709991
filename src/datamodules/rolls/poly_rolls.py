"""Pieces of the polyphonic music benchmark as piano rolls."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    @functools.cached_property
    def rolls(self) -> Mapping[str, list[np.ndarray]]:
        """The pieces of each split, each bool (T, 88)."""
        return _read(self.path)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "rolls": self.rolls}

    def __call__(self, piece_id: str) -> Piece:
        """Make a piece; its group is itself, since the benchmark names no tunes."""
        split, number = piece_id.split("/")
        sounding = self.rolls[split][int(number)]
        onsets = sounding.copy()
        onsets[1:] &= ~sounding[:-1]
        return Piece(name=piece_id, group=piece_id, sounding=sounding, onsets=onsets, split=split)

    def piece_ids(self) -> list[str]:
        """Return the ids of all pieces of the file."""
        return [
            f"{split}/{number:04d}" for split, rolls in self.rolls.items() for number in range(len(rolls))
        ]


@functools.lru_cache(maxsize=1)
def _read(path: Path) -> dict[str, list[np.ndarray]]:
    return read_rolls(path)
