"""MIDI files as piano rolls."""

from dataclasses import dataclass
from pathlib import Path

from src.audio.notes import read_midi
from src.audio.roll import Grid, to_roll
from src.datamodules.rolls.piece import Piece
from src.errors import UserError

SPLIT_BY = ("file", "composer")


@dataclass(frozen=True)
class MidiMaker:
    """Makes the roll of a MIDI file; drums are left out.

    Args:
        root: the folder that paths are relative to.
        grid: length of a step and range of keys.
        split_by: `file`: each file is a group; `composer`: each folder directly below the root is one, and a file that
            is in none is a group by itself.
    """

    root: Path
    grid: Grid
    split_by: str

    def __call__(self, piece_id: str) -> Piece:
        """Make a piece.

        Args:
            piece_id: path relative to the root, with `/`.

        Raises:
            UserError: the file cannot be used; the message names it.
        """
        path = self.root / piece_id
        sounding, onsets = to_roll(read_midi(path), self.grid)
        if not len(sounding):
            keys = f"{self.grid.lowest_note}..{self.grid.lowest_note + self.grid.n_notes - 1}"
            raise UserError(f"{path} has no note among the MIDI numbers {keys}; choose another range of keys")
        folders = piece_id.split("/")[:-1]
        group = folders[0] if self.split_by == "composer" and folders else piece_id
        return Piece(name=piece_id, group=group, sounding=sounding, onsets=onsets)
