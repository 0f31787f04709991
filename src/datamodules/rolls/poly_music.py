"""The polyphonic music benchmark: four sets of piano rolls with published splits and results."""

from collections import Counter
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.options import Folder, Incomplete
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.options import RollOptions
from src.datamodules.rolls.poly_files import DATASETS, LOWEST_NOTE, N_NOTES, PIECES, SOURCE, find_file
from src.datamodules.rolls.poly_rolls import PolyMaker
from src.errors import UserError
from src.fingerprint import Memory, content_hash
from src.preparation.card import Part
from src.rules import one_of


class PolyMusic(RollDataModule):
    """JSB Chorales, Nottingham, MuseData or Piano-midi.de, as in Boulanger-Lewandowski et al., 2012.

    88 keys from A0 (MIDI 21) to C8 (108), with the published split. The length of a step differs between pieces and is
    not in the files, so there is no grid. Nor are onsets: a key that sounds, but did not a step before, counts as one.

    Args:
        root: the folder with the files.
        dataset: `JSB_Chorales`, `Nottingham`, `MuseData` or `Piano_midi`.
        incomplete: whether fewer pieces than were published are enough.
        options: see `RollOptions`; keys and split are fixed by the benchmark.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "poly_music"

    class Options(RollOptions):
        """See `PolyMusic`."""

        root: Folder
        dataset: Annotated[str, one_of(*DATASETS)]
        incomplete: Incomplete = False
        seed: None = field(init=False, default=None)
        split: None = field(init=False, default=None)
        lowest_note: int = field(init=False, default=LOWEST_NOTE)
        n_notes: int = field(init=False, default=N_NOTES)

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.root, self.dataset = self.options.root, self.options.dataset
        if self.workers == "auto":
            self.workers = 1  # enough: it takes a second

    def check(self) -> None:
        """Check that the folder and the file exist, and that all pieces are in it.

        Raises:
            UserError: it is not so; the message says where to get the files.
        """
        file, found = self._file(), Counter(name.partition("/")[0] for name in self.piece_ids())
        parts = [Part(split, found[split], published) for split, published in PIECES[self.dataset].items()]
        missing = [str(part) for part in parts if part.found < part.published]
        if missing and not self.options.incomplete:
            raise UserError(
                f"{file} has {', '.join(missing)}; {SOURCE}; or use what is there with data.incomplete=true"
            )

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path."""
        return {"root": str(self._file().parent)}

    def maker(self) -> PolyMaker:
        """Return the maker of pieces."""
        return PolyMaker(self._file())

    def piece_ids(self) -> list[str]:
        """Return the ids of the pieces of the file."""
        return self.maker().piece_ids()

    def rolls_recipe(self) -> dict[str, Any]:
        """Return the hash of the file."""
        return {"file": content_hash(self._file(), self.cache_dir / Memory.CONTENTS)}

    def _file(self) -> Path:
        if self.root is None:
            raise UserError(
                "data.root is not set: name the folder of the benchmark's files, data.root=FOLDER"
            )
        return find_file(Path(self.root).expanduser().resolve(), self.dataset)
