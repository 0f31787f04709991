"""A few pieces of each split of a data set of rolls to listen to and look at, and tables of all."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from src.audio.files import plain_name
from src.audio.roll import Grid
from src.audio.roll_files import RollWriter, grid_or_default
from src.splitting.splits import SPLITS
from src.spreadsheets import TableWriter

_PIECES_EACH = 3
_MOST_SECONDS = 30.0  # of sound, and of the picture


class SplitPieces(Protocol):
    """Pieces in their splits; see `src.datamodules.rolls.base.RollDataModule`."""

    grid: Grid | None
    lowest_note: int
    n_notes: int

    def names(self, split: str) -> list[str]:
        """Return the names of the pieces of a split."""

    def group_names(self, split: str) -> list[str]:
        """Return the names of the groups of the pieces of a split."""

    def piece(self, split: str, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return sounding keys and onsets of a piece of a split, each bool (T, n_notes)."""

    def left_out(self) -> list[tuple[str, str]]:
        """Return name and reason of each piece that could not be made."""


def write_roll_sheet(folder: Path, data: SplitPieces) -> None:
    """Write the beginnings of a few pieces of each split as sound, MIDI and picture, and tables of all pieces.

    Args:
        folder: created if it is missing.
        data: set up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writer = RollWriter(grid_or_default(data.grid, data.lowest_note, data.n_notes))
    steps = writer.steps(_MOST_SECONDS)
    for split in SPLITS:
        names = data.names(split)
        for number in np.unique(np.linspace(0, len(names) - 1, _PIECES_EACH, dtype=int)).tolist():
            sounding, onsets = data.piece(split, number)
            writer.write(folder / f"{split}_{plain_name(names[number])}", sounding[:steps], onsets[:steps])
    _write_table(folder / "pieces.csv", ("name", "split", "group", "length", "density"), _rows(data))
    _write_table(folder / "left_out.csv", ("name", "reason"), data.left_out())


def _rows(data: SplitPieces) -> Iterable[Sequence[object]]:
    for split in SPLITS:
        for number, (name, group) in enumerate(zip(data.names(split), data.group_names(split), strict=True)):
            sounding = data.piece(split, number)[0]
            yield name, split, group, len(sounding), f"{sounding.mean():.4f}"


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        TableWriter(file, header).write(rows)
