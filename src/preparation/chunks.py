"""Arrays on disk, written in chunks with a checksum each."""

import contextlib
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHUNK_ITEMS = 64
"""Items that are built, written and recorded together: at most so many are lost per worker in an interruption."""

Maker = Callable[[int], Mapping[str, np.ndarray | int]]
"""Makes item i of the data set: a value for each array. It is sent to worker processes, so it must be picklable."""


@dataclass(frozen=True)
class ChunkedArrays:
    """Arrays of equal length, each a `.npy` file in a folder; can be pickled.

    Args:
        folder: where the files lie.
        n_items: length of the arrays.
        arrays: data type and shape of one item, by name.
    """

    folder: Path
    n_items: int
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return -(-self.n_items // CHUNK_ITEMS)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(self._file_size(name) for name in self.arrays)

    def indices(self, chunk: int) -> range:
        """Return the indices of the items of a chunk; the last chunk may have fewer."""
        return range(chunk * CHUNK_ITEMS, min((chunk + 1) * CHUNK_ITEMS, self.n_items))

    def path(self, name: str) -> Path:
        """Return the file of an array."""
        return self.folder / f"{name}.npy"

    @property
    def files(self) -> dict[str, Path]:
        """The file of each array."""
        return {name: self.path(name) for name in self.arrays}

    def allocate(self) -> None:
        """Create files of the right size with the right headers; data that are already in them stay."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.arrays:
            self.path(name).touch()
            with self.path(name).open("r+b") as file:
                header = self._header(name)
                if file.read(len(header)) != header:
                    file.seek(0)
                    file.write(header)
                if file.seek(0, io.SEEK_END) != self._file_size(name):
                    file.truncate(self._file_size(name))

    def open(self) -> dict[str, np.ndarray]:
        """Map the arrays into memory, read-only."""
        return {name: np.load(self.path(name), mmap_mode="r").view(np.ndarray) for name in self.arrays}

    def write_chunk(self, chunk: int, make: Maker, go_on: Callable[[], bool] = lambda: True) -> str | None:
        """Make the items of a chunk and write them.

        Args:
            chunk: in 0..n_chunks-1.
            make: makes an item.
            go_on: asked before each item.

        Returns:
            The chunk's checksum, or `None` if `go_on` returned `False` and nothing was written.
        """
        items = []
        for index in self.indices(chunk):
            if not go_on():
                return None
            items.append(make(index))
        digest = hashlib.blake2b(digest_size=8)
        for name, (dtype, shape) in self.arrays.items():
            values = np.stack([np.asarray(item[name], dtype=dtype) for item in items])
            assert values.shape[1:] == tuple(shape), f"{name}: {values.shape[1:]} is not {shape}"
            digest.update(values.tobytes())
            with self.path(name).open("r+b") as file:
                file.seek(self._offset(name, chunk))
                file.write(values.tobytes())
        return digest.hexdigest()

    def checksum(self, chunk: int) -> str:
        """Return the checksum of a chunk as it is on disk; missing bytes count as empty."""
        digest = hashlib.blake2b(digest_size=8)
        for name in self.arrays:
            with contextlib.suppress(OSError), self.path(name).open("rb") as file:
                file.seek(self._offset(name, chunk))
                digest.update(file.read(len(self.indices(chunk)) * self._stride(name)))
        return digest.hexdigest()

    def _file_size(self, name: str) -> int:
        return len(self._header(name)) + self.n_items * self._stride(name)

    def _offset(self, name: str, chunk: int) -> int:
        return len(self._header(name)) + chunk * CHUNK_ITEMS * self._stride(name)

    def _stride(self, name: str) -> int:
        dtype, shape = self.arrays[name]
        return int(np.dtype(dtype).itemsize * np.prod(shape, dtype=int))

    def _header(self, name: str) -> bytes:
        dtype, shape = self.arrays[name]
        description = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": (self.n_items, *shape),
        }
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, description)
        return header.getvalue()
