"""The polyphonic music benchmark: four sets of piano rolls with published splits and results."""

from pathlib import Path
from typing import Any

from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.poly_files import LOWEST_NOTE, N_NOTES, find_file
from src.datamodules.rolls.poly_rolls import PolyMaker
from src.errors import UserError
from src.fingerprint import content_hash


class PolyMusic(RollDataModule):
    """JSB Chorales, Nottingham, MuseData or Piano-midi.de, as in Boulanger-Lewandowski et al., 2012.

    88 keys from A0 (MIDI 21) to C8 (108), with the published split. How long a step lasts differs and is not
    in the files, so there is no grid. The files have no onsets; a key's rise is taken for one.

    Args:
        cache_dir: prepared data lie in it.
        batch_size: windows or pieces a training batch.
        shuffle_seed: of the order of training items, >= 0.
        root: the folder with the files.
        dataset: `JSB_Chorales`, `Nottingham`, `MuseData` or `Piano_midi`.
        n_steps: predicted steps of a training window, >= 1; `None` trains on whole pieces.
        crop: columns taken of each piece, >= 2; `None` takes all.
        onsets: whether the roll carries onsets beside the sounding keys.
        workers: processes that build the data, or `auto`: one, which does it in a second.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "poly_music"

    def __init__(
        self,
        *,
        cache_dir: Path,
        batch_size: int,
        shuffle_seed: int,
        root: str | None,
        dataset: str,
        n_steps: int | None,
        crop: int | None,
        onsets: bool,
        workers: int | str,
    ) -> None:
        super().__init__(
            cache_dir=cache_dir,
            batch_size=batch_size,
            shuffle_seed=shuffle_seed,
            workers=1 if workers == "auto" else workers,
            lowest_note=LOWEST_NOTE,
            n_notes=N_NOTES,
            grid=None,
            seed=None,
            split=None,
            n_steps=n_steps,
            crop=crop,
            onsets=onsets,
        )
        self.root, self.dataset = root, dataset

    def check(self) -> None:
        """Refuse a missing folder or file.

        Raises:
            UserError: one of those; the message says where the files are.
        """
        self._file()

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path."""
        return {"root": str(self._file().parent)}

    def maker(self) -> PolyMaker:
        """Give what makes a piece."""
        return PolyMaker(self._file())

    def piece_ids(self) -> list[str]:
        """Give the pieces of the file."""
        return self.maker().piece_ids()

    def rolls_recipe(self) -> dict[str, Any]:
        """Give the file's hash."""
        return {"file": content_hash(self._file(), self.cache_dir / "content_hashes.json")}

    def _file(self) -> Path:
        if self.root is None:
            raise UserError(
                "data.root is not set: give the folder of the benchmark's files, data.root=FOLDER"
            )
        return find_file(Path(self.root).expanduser().resolve(), self.dataset)
