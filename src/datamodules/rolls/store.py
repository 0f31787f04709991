"""Piano rolls on disk: all pieces one after another, packed to bits, verified when opened."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.rolls.files import ARRAYS, LeftOut, RollFiles
from src.datamodules.rolls.parts import RollParts, build_rolls
from src.datamodules.rolls.piece import PieceMaker
from src.errors import UserError
from src.messages import say
from src.preparation.cache import ArrayCache

FORMAT = 2
"""Of the files; a change of it makes old ones be built again."""

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

    While it is built, finished pieces lie in `parts/`, and an interrupted build goes on from there. When all are there
    they move into `sounding.npy`, `onsets.npy` and `pieces.json`, which an `ArrayCache` keeps.

    Args:
        folder: where the files lie.
        description: what they are, for people who look into `meta.json`.
    """

    folder: Path
    description: Mapping[str, Any]

    @property
    def cache(self) -> ArrayCache[RollFiles]:
        """The files on disk."""
        return ArrayCache(RollFiles(self.folder), self.description)

    def is_complete(self) -> bool:
        """Tell whether all is built, and unchanged since it was verified."""
        return self.cache.is_complete()

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

        def build(files: RollFiles, _chunks: list[int]) -> Iterator[tuple[int, str]]:
            with _disk_errors(files.folder):
                self._build(files, make, tuple(piece_ids()), workers, title)
            yield from ((chunk, files.checksum(chunk)) for chunk in range(files.n_chunks))

        self.cache.prepare(build)
        shutil.rmtree(self._parts, ignore_errors=True)

    def open(self) -> Rolls:
        """Map the rolls into memory, read-only.

        Raises:
            UserError: they are not built.
        """
        if not self.is_complete():
            raise UserError(f"{self.folder} is not built; run the command with mode=prepare")
        files = self.cache.files.files
        index = json.loads(files["pieces"].read_text(encoding="utf-8"))
        sounding, onsets = (np.load(files[name], mmap_mode="r").view(np.ndarray) for name in ARRAYS)
        lengths = np.array([piece["length"] for piece in index["pieces"]], np.int64)
        left_out = [(name, reason) for name, reason in index["left_out"]]
        return Rolls(sounding, onsets, lengths, index["pieces"], left_out)

    def _build(
        self, files: RollFiles, make: PieceMaker, piece_ids: Sequence[str], workers: int | str, title: str
    ) -> None:
        parts = build_rolls(self._parts, make, piece_ids, workers, title)
        kept, left_out = _sorted_out(parts)
        _say_left_out(title, left_out, len(piece_ids))
        files.write(parts, kept, left_out)

    @property
    def _parts(self) -> Path:
        return self.folder / "parts"


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(
            f"cannot write to {folder}: {reason}; make room there or choose outputs=DIR"
        ) from error


def _sorted_out(parts: RollParts) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    """Give what is known of each piece by its number, and the names and reasons of those left out."""
    abouts = {number: parts.about(number) for number in range(len(parts.piece_ids))}
    left_out = [(about["name"], about["left_out"]) for about in abouts.values() if "left_out" in about]
    kept = {number: about for number, about in abouts.items() if "left_out" not in about}
    if not kept:
        first = f", the first because: {left_out[0][1]}" if left_out else ""
        raise UserError(f"no piece could be used: all {len(left_out)} are left out{first}")
    return kept, left_out


def _say_left_out(title: str, left_out: LeftOut, total: int) -> None:
    for _, reason in left_out[:_NAMED]:
        say(f"{title}: left out: {reason}")
    if len(left_out) > _NAMED:
        say(f"{title}: {len(left_out)} of {total} pieces are left out; pieces.json names them all")
