"""Piano rolls on disk: all pieces one after another, packed to bits, and verified."""

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
from src.datamodules.rolls.piece import PieceMaker
from src.datamodules.rolls.piece_files import PieceFiles, build_rolls
from src.errors import UserError
from src.messages import say
from src.preparation.cache import ArrayCache

FORMAT = 3
"""Version of the files' layout; files of another version are built again."""

_NAMED = 10  # pieces left out that are named on the terminal; pieces.json has all


@dataclass(frozen=True, eq=False)
class Rolls:
    """The pieces of a store.

    Attributes:
        sounding: uint8 (F, bytes), the keys that sound, packed to bits; all pieces one after another.
        onsets: uint8 (F, bytes), likewise.
        lengths: int64 (n_pieces,), columns of each piece, F in all.
        pieces: name, group, split, keys, length and digest of each piece; identical and nearly identical pieces and
            those with a common key have the same group.
        left_out: name and reason of each piece that could not be made.
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
        numbers: int64 (n_pieces,), of the pieces in the store.
        starts: int64 (n_pieces,), the first column of each.
        lengths: int64 (n_pieces,), the number of columns of each, after the crop.
    """

    numbers: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class RollStore:
    """A folder of packed rolls, built once by one process.

    During the build each finished piece is a file in `parts/`, and an interrupted build continues from there. When all
    are made they are joined into `sounding.npy`, `onsets.npy` and `pieces.json`, which an `ArrayCache` verifies.

    Args:
        folder: of the files.
        description: of the rolls, for people who look into `meta.json`.
    """

    folder: Path
    description: Mapping[str, Any]

    @property
    def cache(self) -> ArrayCache[RollFiles]:
        """The files on disk."""
        return ArrayCache(RollFiles(self.folder), self.description)

    def is_complete(self) -> bool:
        """Whether all rolls are built, and unchanged since they were verified."""
        return self.cache.is_complete()

    def prepare(
        self, make: PieceMaker, piece_ids: Callable[[], Iterable[str]], workers: int | str, title: str
    ) -> None:
        """Build the rolls if they are missing or damaged; of several processes that call this, one builds.

        Args:
            make: makes a piece from its id; if it raises `UserError`, the piece is left out.
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
        pieces = build_rolls(self._parts, make, piece_ids, workers, title)
        kept, left_out = _sorted_out(pieces)
        _say_left_out(title, left_out, len(piece_ids))
        files.write(pieces, kept, left_out)

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


def _sorted_out(pieces: PieceFiles) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    """Return `PieceFiles.about` of the pieces that were made, by number, and name and reason of the others."""
    abouts = {number: pieces.about(number) for number in range(len(pieces.piece_ids))}
    left_out = [(about["name"], about["left_out"]) for about in abouts.values() if "left_out" in about]
    kept = {number: about for number, about in abouts.items() if "left_out" not in about}
    if not kept:
        reason = f", the first because: {left_out[0][1]}" if left_out else ""
        raise UserError(f"no piece could be used: all {len(left_out)} are left out{reason}")
    return kept, left_out


def _say_left_out(title: str, left_out: LeftOut, total: int) -> None:
    for _, reason in left_out[:_NAMED]:
        say(f"{title}: left out: {reason}")
    if len(left_out) > _NAMED:
        say(f"{title}: {len(left_out)} of {total} pieces are left out; pieces.json names them all")
