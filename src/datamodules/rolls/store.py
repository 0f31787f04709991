"""Piano rolls on disk: all pieces one after another, packed to bits, verified when opened."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.rolls.parts import RollParts, build_rolls
from src.datamodules.rolls.piece import PieceMaker
from src.errors import UserError
from src.fingerprint import write_json
from src.preparation.cache import locked, read_json, say
from src.splitting.groups import links_by_key, united
from src.splitting.near_duplicates import links_of_near_duplicates

FORMAT = 1
"""Of the files; a change of it makes old ones be built again."""

ARRAYS = ("sounding", "onsets")
_FILES = (*(f"{name}.npy" for name in ARRAYS), "pieces.json")
_NAMED = 10  # pieces left out that are named on the terminal; pieces.json has all


@dataclass(frozen=True, eq=False)
class Rolls:
    """The pieces of a store.

    Attributes:
        sounding: uint8 (F, bytes), the keys that sound, packed to bits; all pieces one after another.
        onsets: uint8 (F, bytes), likewise.
        lengths: int64 (n_pieces,), columns of each piece, F in all.
        pieces: name, group, split, length and digest of each piece; pieces that are identical or nearly so
            have one group.
        left_out: name of each piece that was not made, and why.
    """

    sounding: np.ndarray
    onsets: np.ndarray
    lengths: np.ndarray
    pieces: list[dict[str, Any]]
    left_out: list[tuple[str, str]]

    @property
    def starts(self) -> np.ndarray:
        """The first column of each piece, int64 (n_pieces,)."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths)


@dataclass(frozen=True)
class RollSplit:
    """The pieces of a split, in order of length.

    Attributes:
        numbers: int64 (n_pieces,), which pieces of the store they are.
        starts: int64 (n_pieces,), their first columns.
        lengths: int64 (n_pieces,), their columns, after the crop.
    """

    numbers: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class RollStore:
    """A folder of packed rolls, built once by one process.

    While it is built, finished pieces lie in `parts/`, and an interrupted build goes on from there. When all
    are there they move into `sounding.npy`, `onsets.npy` and `pieces.json`; `meta.json` with their checksums
    comes last and makes the folder valid. `verified.json` remembers by size and modification time that the
    files agreed with their checksums.

    Args:
        folder: where the files lie.
        description: what they are, for people who look into `meta.json`.
    """

    folder: Path
    description: Mapping[str, Any]

    def is_complete(self) -> bool:
        """Tell whether all is built, and unchanged since it was verified."""
        stamps = self._stamps()
        return len(stamps) == len(_FILES) and read_json(self._verified) == stamps and bool(self._checksums())

    def prepare(
        self, make: PieceMaker, piece_ids: Callable[[], Iterable[str]], workers: int | str, title: str
    ) -> None:
        """Build the rolls where they are missing or damaged; of several processes that ask, one builds.

        Args:
            make: makes a piece from its id; a UserError leaves it out.
            piece_ids: returns the ids of the pieces; called only if there is something to build.
            workers: number of processes, or `auto`.
            title: what is built, for the progress bar.

        Raises:
            UserError: no piece could be made, a process was killed, or the disk is full.
        """
        if self.is_complete():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            if not self.is_complete() and not self._verify():
                with self._disk_errors():
                    self._build(make, tuple(piece_ids()), workers, title)

    def open(self) -> Rolls:
        """Map the rolls into memory, read-only.

        Raises:
            UserError: they are not built.
        """
        if not self.is_complete():
            raise UserError(f"{self.folder} is not built; run the command with mode=prepare")
        index = json.loads((self.folder / "pieces.json").read_text(encoding="utf-8"))
        sounding, onsets = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in ARRAYS
        )
        lengths = np.array([piece["length"] for piece in index["pieces"]], np.int64)
        left_out = [(name, reason) for name, reason in index["left_out"]]
        return Rolls(sounding, onsets, lengths, index["pieces"], left_out)

    def _build(self, make: PieceMaker, piece_ids: Sequence[str], workers: int | str, title: str) -> None:
        folder = self.folder / "parts"
        if folder.exists():
            say(f"{self.folder}: going on with a build that was interrupted")
        parts = build_rolls(folder, make, piece_ids, workers, title)
        kept, left_out = _sorted_out(parts)
        _say_left_out(title, left_out, len(piece_ids))
        pieces = self._merge(parts, kept)
        write_json(self.folder / "pieces.json", {"pieces": pieces, "left_out": left_out})
        checksums = {name: _checksum(self.folder / name) for name in _FILES}
        write_json(self._meta, {**self.description, "checksums": checksums})
        write_json(self._verified, self._stamps())
        shutil.rmtree(folder)

    def _merge(self, parts: RollParts, kept: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
        """Write the parts one after another; give what is known of each piece, like pieces in one group."""
        sketches = []
        total = sum(about["length"] for about in kept.values())
        files: dict[str, np.memmap[Any, Any]] = {}
        start = 0
        for number, about in kept.items():
            arrays = parts.arrays(number)
            sketches.append(arrays["sketch"])
            for name in ARRAYS:
                if name not in files:
                    path, shape = self.folder / f"{name}.npy", (total, arrays[name].shape[1])
                    files[name] = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
                files[name][start : start + about["length"]] = arrays[name]
            start += about["length"]
        for file in files.values():
            file.flush()
        pieces = list(kept.values())
        digests = [piece["digest"] for piece in pieces]
        links = [
            *links_by_key([digest] for digest in digests),
            *links_of_near_duplicates(digests, sketches),
        ]
        groups = united([piece["group"] for piece in pieces], links)
        return [{**piece, "group": group} for piece, group in zip(pieces, groups, strict=True)]

    def _verify(self) -> bool:
        """Read a finished store whose files have other times, as after copying, and say if it is damaged."""
        checksums = self._checksums()
        if not checksums:
            return False
        sound = all(
            (self.folder / f).exists() and _checksum(self.folder / f) == checksums.get(f) for f in _FILES
        )
        if sound:
            write_json(self._verified, self._stamps())
        else:
            say(f"{self.folder} is damaged and is built again")
            self._meta.unlink()
        return sound

    def _stamps(self) -> dict[str, list[int]]:
        """Give size in bytes and modification time in ns of each file that is there."""
        stats = {name: (self.folder / name).stat() for name in _FILES if (self.folder / name).exists()}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}

    def _checksums(self) -> dict[str, str]:
        """Read the checksums of `meta.json`; empty if it is not there or damaged."""
        meta = read_json(self._meta)
        checksums = meta.get("checksums") if isinstance(meta, dict) else None
        return checksums if isinstance(checksums, dict) else {}

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise UserError(
                f"cannot write to {self.folder}: {reason}; make room there or choose outputs=DIR"
            ) from error

    @property
    def _meta(self) -> Path:
        return self.folder / "meta.json"

    @property
    def _verified(self) -> Path:
        return self.folder / "verified.json"


def _sorted_out(parts: RollParts) -> tuple[dict[int, dict[str, Any]], list[tuple[str, str]]]:
    """Give what is known of each piece by its number, and the names and reasons of those left out."""
    abouts = {number: parts.about(number) for number in range(len(parts.piece_ids))}
    left_out = [(about["name"], about["left_out"]) for about in abouts.values() if "left_out" in about]
    kept = {number: about for number, about in abouts.items() if "left_out" not in about}
    if not kept:
        first = f", the first because: {left_out[0][1]}" if left_out else ""
        raise UserError(f"no piece could be used: all {len(left_out)} are left out{first}")
    return kept, left_out


def _say_left_out(title: str, left_out: Sequence[tuple[str, str]], total: int) -> None:
    for _, reason in left_out[:_NAMED]:
        say(f"{title}: left out: {reason}")
    if len(left_out) > _NAMED:
        say(f"{title}: {len(left_out)} of {total} pieces are left out; pieces.json names them all")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
