"""Piano rolls of single pieces, made by several processes and kept one file a piece until all are there."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.rolls.piece import PieceMaker, packed_piece
from src.errors import UserError
from src.messages import say
from src.preparation.builder import Builder

_CHECKSUM_BYTES = 16


@dataclass(frozen=True)
class RollParts:
    """A folder with one file a piece, a checksum and a `.npz` archive; each is written atomically.

    It can be sent to another process; a `Builder` writes it.

    Args:
        folder: where the files lie.
        piece_ids: of the pieces, in their order.
    """

    folder: Path
    piece_ids: tuple[str, ...]

    def path(self, number: int) -> Path:
        """Return the file of a piece."""
        return self.folder / f"{number:06d}.part"

    def indices(self, number: int) -> range:
        """Return what is made together: one piece."""
        return range(number, number + 1)

    def write_chunk(
        self, number: int, make: PieceMaker, go_on: Callable[[], bool] = lambda: True
    ) -> str | None:
        """Make a piece and write it, or why it is left out.

        Args:
            number: of the piece.
            make: makes the piece.
            go_on: asked before.

        Returns:
            The piece's digest, `left out`, or `None` if `go_on` said no.
        """
        if not go_on():
            return None
        piece_id = self.piece_ids[number]
        try:
            part = packed_piece(make(piece_id))
        except UserError as error:
            part = {"about": json.dumps({"name": piece_id, "left_out": str(error)})}
        content = io.BytesIO()
        np.savez(content, **part)
        temporary = self.folder / f".{number:06d}.{os.getpid()}"
        temporary.write_bytes(_checksum(content.getvalue()) + content.getvalue())
        temporary.replace(self.path(number))
        return str(json.loads(str(part["about"])).get("digest", "left out"))

    def about(self, number: int) -> dict[str, Any]:
        """Read name, group, split, length and digest of a piece, or name and `left_out`, the reason."""
        with self._opened(number) as part:
            about: dict[str, Any] = json.loads(str(part["about"]))
        return about

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """Read `sounding` and `onsets`, uint8 (T, bytes), keys packed to bits, and `sketch`, uint64 (n,)."""
        with self._opened(number) as part:
            return {name: part[name] for name in part.files if name != "about"}

    def is_sound(self, number: int) -> bool:
        """Tell whether the file of a piece is there and agrees with its checksum."""
        if not self.path(number).exists():
            return False
        content = self.path(number).read_bytes()
        return content[:_CHECKSUM_BYTES] == _checksum(content[_CHECKSUM_BYTES:])

    @contextlib.contextmanager
    def _opened(self, number: int) -> Iterator[Any]:
        content = self.path(number).read_bytes()[_CHECKSUM_BYTES:]
        with np.load(io.BytesIO(content)) as part:
            yield part


def build_rolls(
    folder: Path, make: PieceMaker, piece_ids: Sequence[str], workers: int | str, title: str
) -> RollParts:
    """Make the pieces that are not in the folder yet, with all cores.

    Args:
        folder: gets a file for each piece.
        make: makes a piece.
        piece_ids: of the pieces.
        workers: number of processes, or `auto`.
        title: what is built, for the progress bar.

    Raises:
        UserError: a process was killed, or the disk is full.
    """
    parts = RollParts(folder, tuple(piece_ids))
    folder.mkdir(parents=True, exist_ok=True)
    todo = [number for number in range(len(parts.piece_ids)) if not parts.is_sound(number)]
    if done := len(piece_ids) - len(todo):
        say(f"{folder}: {done} of {len(piece_ids)} pieces are made; going on from there")
    if todo:
        for _ in Builder(make, workers, title)(parts, todo):
            pass
    return parts


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
