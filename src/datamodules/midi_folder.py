"""A folder of MIDI files as piano rolls."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from src.audio.notes import midi_files
from src.audio.roll import Grid
from src.datamodules.rolls import RollDataModule
from src.errors import UserError
from src.fingerprint import content_hash, value_hash, write_json
from src.preparation.cache import read_json
from src.rolls.midi_rolls import SPLIT_BY, MidiMaker


class MidiFolder(RollDataModule):
    """All `.mid` and `.midi` files below a folder; what cannot be read is named and left out.

    Files with the same or nearly the same notes count as one group, and stay on one side of the split.

    Args:
        cache_dir: prepared data lie in it.
        batch_size: windows or pieces a training batch.
        shuffle_seed: of the order of training items, >= 0.
        root: the folder.
        split_by: `file`, or `composer`: files in one folder right below the root stay together.
        seed: of the split, >= 0.
        split: shares of the pieces, `val` and `test`.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        grid: `beats` or `seconds`.
        rate: steps a beat or a second.
        short_notes: `keep` or `drop`; see `src.audio.roll.Grid`.
        n_steps: predicted steps of a training window, >= 1; `None` trains on whole pieces.
        crop: columns taken of each piece, >= 2; `None` takes all.
        onsets: whether the roll carries onsets beside the sounding keys.
        workers: processes that build the data, or `auto`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "midi_folder"
    grid: Grid

    def __init__(
        self,
        *,
        cache_dir: Path,
        batch_size: int,
        shuffle_seed: int,
        root: str | None,
        split_by: str,
        seed: int,
        split: Mapping[str, float],
        lowest_note: int,
        n_notes: int,
        grid: str,
        rate: float,
        short_notes: str,
        n_steps: int | None,
        crop: int | None,
        onsets: bool,
        workers: int | str,
    ) -> None:
        super().__init__(
            cache_dir=cache_dir,
            batch_size=batch_size,
            shuffle_seed=shuffle_seed,
            workers=workers,
            lowest_note=lowest_note,
            n_notes=n_notes,
            grid=Grid(
                unit=grid, rate=rate, lowest_note=lowest_note, n_notes=n_notes, short_notes=short_notes
            ),
            seed=seed,
            split=split,
            n_steps=n_steps,
            crop=crop,
            onsets=onsets,
        )
        if split_by not in SPLIT_BY:
            raise UserError(f"data.split_by={split_by}: choose {' or '.join(SPLIT_BY)}.")
        self.root, self.split_by = root, split_by

    def check(self) -> None:
        """Refuse a folder that is missing or has no MIDI file below it.

        Raises:
            UserError: one of those.
        """
        midi_files(self._root())

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path."""
        return {"root": str(self._root())}

    def maker(self) -> MidiMaker:
        """Give what makes a piece."""
        return MidiMaker(self._root(), self.grid, self.split_by)

    def sources(self) -> list[str]:
        """Give the files, relative to the folder."""
        root = self._root()
        return [path.relative_to(root).as_posix() for path in midi_files(root)]

    def rolls_recipe(self) -> dict[str, Any]:
        """Give the grid, how files are grouped, and the hash of the files and their names in the folder."""
        content = _content(self._root(), self.sources(), self.cache_dir / "midi_folders.json")
        return {"grid": asdict(self.grid), "split_by": self.split_by, "files": content}

    def _root(self) -> Path:
        if self.root is None:
            raise UserError("data.root is not set: give a folder with MIDI files, data.root=FOLDER")
        return Path(self.root).expanduser().resolve()


def _content(root: Path, names: list[str], memory: Path) -> str:
    """Hash MIDI files and their names, and nothing else below the root; unchanged files are not read again."""
    stats = [(root / name).stat() for name in names]
    stamps = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in zip(names, stats, strict=True)]
    known = read_json(memory) or {}
    key = value_hash([str(root), stamps])
    if key not in known:
        known[key] = value_hash([[name, content_hash(root / name)] for name in names])
        write_json(memory, known)
    return str(known[key])
