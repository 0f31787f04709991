"""Piano rolls of single pieces, made by several processes and kept one file a piece until all are there."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from src.datamodules.rolls.piece import PieceMaker, packed_piece
from src.errors import UserError
from src.preparation.builder import Builder
from src.preparation.chunks import ChunkedArrays, Maker

_CHECKSUM_BYTES = 16


@dataclass(frozen=True)
class RollParts:
    """A folder with one file a source, a checksum and a `.npz` archive; each is written atomically.

    It can be sent to another process, and stands in for `ChunkedArrays` where a `Builder` works on it.

    Args:
        folder: where the files lie.
        sources: what the pieces are made from, in their order.
    """

    folder: Path
    sources: tuple[str, ...]

    def path(self, number: int) -> Path:
        """Give the file of a source."""
        return self.folder / f"{number:06d}.part"

    def indices(self, number: int) -> range:
        """Give what is made together: one source."""
        return range(number, number + 1)

    def write_chunk(
        self, number: int, make: PieceMaker, go_on: Callable[[], bool] = lambda: True
    ) -> str | None:
        """Make the piece of a source and write it, or why it is left out.

        Args:
            number: of the source.
            make: makes the piece.
            go_on: asked before.

        Returns:
            The piece's digest, `left out`, or `None` if `go_on` said no.
        """
        if not go_on():
            return None
        source = self.sources[number]
        try:
            part = packed_piece(make(source))
        except UserError as error:
            part = {"about": json.dumps({"name": source, "left_out": str(error)})}
        content = io.BytesIO()
        np.savez(content, **part)
        temporary = self.folder / f".{number:06d}.{os.getpid()}"
        temporary.write_bytes(_checksum(content.getvalue()) + content.getvalue())
        temporary.replace(self.path(number))
        return str(json.loads(str(part["about"])).get("digest", "left out"))

    def about(self, number: int) -> dict[str, Any]:
        """Read name, group, split, length and digest of a piece, or name and `left_out`, the reason."""
        with self._opened(number) as part:
            return cast(dict[str, Any], json.loads(str(part["about"])))

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """Read `sounding` and `onsets`, uint8 (T, bytes), keys packed to bits, and `sketch`, uint64 (n,)."""
        with self._opened(number) as part:
            return {name: part[name] for name in part.files if name != "about"}

    def is_sound(self, number: int) -> bool:
        """Tell whether the file of a source is there and agrees with its checksum."""
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
    folder: Path, make: PieceMaker, sources: Sequence[str], workers: int | str, title: str
) -> RollParts:
    """Make the pieces that are not in the folder yet, with all cores.

    Args:
        folder: gets a file for each source.
        make: makes a piece.
        sources: what the pieces are made from.
        workers: number of processes, or `auto`.
        title: what is built, for the progress bar.

    Raises:
        UserError: a process was killed, or the disk is full.
    """
    parts = RollParts(folder, tuple(sources))
    folder.mkdir(parents=True, exist_ok=True)
    todo = [number for number in range(len(parts.sources)) if not parts.is_sound(number)]
    if todo:
        builder = Builder(cast(Maker, make), workers, title)
        for _ in builder(cast(ChunkedArrays, parts), todo):
            pass
    return parts


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
