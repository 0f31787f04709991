"""A folder of MIDI files as piano rolls."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from src.audio.notes import midi_files
from src.audio.roll import Grid
from src.datamodules.options import Folder
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.midi_rolls import SPLIT_BY, MidiMaker
from src.datamodules.rolls.options import GridOptions
from src.errors import UserError
from src.fingerprint import Memory, files_hash
from src.rules import one_of


class MidiFolder(RollDataModule):
    """All `.mid` and `.midi` files below a folder; unreadable ones are named on stderr and left out.

    Files with the same or nearly the same notes are one group, and so in one split.

    Args:
        root: the folder.
        split_by: `file`, or `composer`: all files in one folder directly below the root are in one split.
        options: see `GridOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "midi_folder"
    grid: Grid

    class Options(GridOptions):
        """See `MidiFolder`."""

        root: Folder
        split_by: Annotated[str, one_of(*SPLIT_BY)]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.root, self.split_by = self.options.root, self.options.split_by

    def check(self) -> None:
        """Check that the folder exists and has a MIDI file below it.

        Raises:
            UserError: it does not.
        """
        midi_files(self._root())

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path."""
        return {"root": str(self._root())}

    def maker(self) -> MidiMaker:
        """Return the maker of pieces."""
        return MidiMaker(self._root(), self.grid, self.split_by)

    def piece_ids(self) -> list[str]:
        """Return the paths of the files, relative to the folder."""
        root = self._root()
        return [path.relative_to(root).as_posix() for path in midi_files(root)]

    def rolls_recipe(self) -> dict[str, Any]:
        """Return the grid, how files are grouped, and a hash of the files and their names."""
        content = files_hash(self._root(), self.piece_ids(), self.cache_dir / Memory.LISTS)
        return {"grid": asdict(self.grid), "split_by": self.split_by, "files": content}

    def _root(self) -> Path:
        if self.root is None:
            raise UserError("data.root is not set: name a folder with MIDI files, data.root=FOLDER")
        return Path(self.root).expanduser().resolve()
