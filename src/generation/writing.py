"""Writes generated pieces to files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.audio.files import plain_name
from src.audio.roll_files import RollWriter, grid_or_default
from src.generation.composing import Piece
from src.generation.options import Generation
from src.generation.roll_data import RollData


def writer(data: RollData, options: Generation) -> RollWriter:
    """Return a writer for pieces of some data."""
    grid = grid_or_default(data.grid, data.lowest_note, data.n_notes)
    return RollWriter(grid, bpm=options.bpm, program=options.program, soundfont=options.soundfont)


def write_pieces(
    pieces: Sequence[Piece], folder: Path, data: RollData, options: Generation, prefix: str = "piece"
) -> list[Path]:
    """Write `<prefix>_<number>_<name>.mid`, `.wav` and `.png` of each piece.

    Returns:
        The `.mid` files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, write = [], writer(data, options).write
    for number, piece in enumerate(pieces, start=1):
        stem = folder / f"{prefix}_{number}_{plain_name(piece.name)}"
        columns = np.concatenate([piece.prime, piece.columns])
        onsets = columns[:, data.n_notes :] if data.onsets else None
        write(stem, columns[:, : data.n_notes], onsets, generated_from=len(piece.prime))
        files.append(stem.with_name(f"{stem.name}.mid"))
    return files
