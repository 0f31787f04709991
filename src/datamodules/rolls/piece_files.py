"""Piano rolls of single pieces, made by several processes and kept in one file each until all are made."""

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.rolls.piece import PieceMaker, packed_piece
from src.errors import UserError
from src.fingerprint import replacing
from src.messages import say
from src.preparation.builder import Builder

_CHECKSUM_BYTES = 16


@dataclass(frozen=True)
class PieceFiles:
    """A folder with one file for each piece: a checksum and an `.npz` archive, written atomically.

    It pickles, so worker processes can use it; a `Builder` writes it.

    Args:
        folder: of the files.
        piece_ids: of the pieces, in order.
    """

    folder: Path
    piece_ids: tuple[str, ...]

    def path(self, number: int) -> Path:
        """Return the file of a piece."""
        return self.folder / f"{number:06d}.part"

    def indices(self, number: int) -> range:
        """Return the numbers of the pieces that are made together: of one."""
        return range(number, number + 1)

    def write_chunk(
        self, number: int, make: PieceMaker, go_on: Callable[[], bool] = lambda: True
    ) -> str | None:
        """Make a piece and write it, or the reason why it is left out.

        Args:
            number: of the piece.
            make: makes the piece.
            go_on: called first; nothing is made if it returns `False`.

        Returns:
            The piece's digest, `left out`, or `None` if `go_on` returned `False`.
        """
        if not go_on():
            return None
        piece_id = self.piece_ids[number]
        try:
            arrays = packed_piece(make(piece_id))
        except UserError as error:
            arrays = {"about": json.dumps({"name": piece_id, "left_out": str(error)})}
        content = io.BytesIO()
        np.savez(content, **arrays)
        with replacing(self.path(number)) as temporary:
            temporary.write_bytes(_checksum(content.getvalue()) + content.getvalue())
        return str(json.loads(str(arrays["about"])).get("digest", "left out"))

    def about(self, number: int) -> dict[str, Any]:
        """Return name, group, split, keys, length and digest of a piece, or name and `left_out`, the reason."""
        with self._opened(number) as archive:
            about: dict[str, Any] = json.loads(str(archive["about"]))
        return about

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """Return `sounding` and `onsets`, uint8 (T, bytes), keys packed to bits, and `sketch`, uint64 (n,)."""
        with self._opened(number) as archive:
            return {name: archive[name] for name in archive.files if name != "about"}

    def is_intact(self, number: int) -> bool:
        """Whether the file of a piece exists and agrees with its checksum."""
        if not self.path(number).exists():
            return False
        content = self.path(number).read_bytes()
        return content[:_CHECKSUM_BYTES] == _checksum(content[_CHECKSUM_BYTES:])

    @contextlib.contextmanager
    def _opened(self, number: int) -> Iterator[Any]:
        content = self.path(number).read_bytes()[_CHECKSUM_BYTES:]
        with np.load(io.BytesIO(content)) as archive:
            yield archive


def build_rolls(
    folder: Path, make: PieceMaker, piece_ids: Sequence[str], workers: int | str, title: str
) -> PieceFiles:
    """Make the pieces that are not in the folder yet, with several processes.

    Args:
        folder: gets a file for each piece.
        make: makes a piece.
        piece_ids: of the pieces.
        workers: number of processes, or `auto`.
        title: what is built, for the progress bar.

    Raises:
        UserError: a process was killed, or the disk is full.
    """
    pieces = PieceFiles(folder, tuple(piece_ids))
    folder.mkdir(parents=True, exist_ok=True)
    todo = [number for number in range(len(pieces.piece_ids)) if not pieces.is_intact(number)]
    if done := len(piece_ids) - len(todo):
        say(f"{folder}: {done} of {len(piece_ids)} pieces are already made; continuing from there")
    if todo:
        for _ in Builder(make, workers, title)(pieces, todo):
            pass
    return pieces


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
