"""Prepared data on disk: built by one process at a time, verified when opened, used only when complete."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import filelock

from src.errors import UserError
from src.fingerprint import read_json, write_json, write_text
from src.messages import say


class CachedFiles(Protocol):
    """Files in a folder that are checked chunk by chunk, such as `ChunkedArrays`."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""

    @property
    def files(self) -> Mapping[str, Path]:
        """All files, by name."""

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""

    @property
    def size(self) -> int:
        """Bytes on disk, 0 where it is not known in advance."""

    def allocate(self) -> None:
        """Create the folder, and files that must exist before a chunk is written."""

    def checksum(self, chunk: int) -> str:
        """Return the checksum of a chunk as it is on disk."""


Files = TypeVar("Files", bound=CachedFiles)

Build = Callable[[Files, list[int]], Iterator[tuple[int, str]]]
"""Writes chunks, in any order and process, and yields the number and checksum of each when it is done."""


@dataclass(frozen=True)
class ArrayCache(Generic[Files]):
    """A folder of prepared arrays.

    While they are built, `chunks.jsonl` holds a line with the checksum of each finished chunk. In the end the
    checksums move into `meta.json`, which makes the folder valid. `verified.json` records the size and modification
    time of files that agreed with their checksums.

    Args:
        files: the arrays.
        description: of the data, stored in `meta.json` for people who look into it.
    """

    files: Files
    description: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.files.folder

    def is_complete(self) -> bool:
        """Return whether all chunks are built, and unchanged since they were verified."""
        stamps = self._stamps()
        verified = len(stamps) == len(self.files.files) and read_json(self._verified) == stamps
        return verified and len(self._final_checksums()) == self.files.n_chunks

    def check_space(self) -> None:
        """Check that the disk has room for what is still to be written.

        Raises:
            UserError: it hasn't.
        """
        place = next(parent for parent in self.folder.absolute().parents if parent.exists())
        wanted = self.files.size - sum(size for size, _ in self._stamps().values())
        free = shutil.disk_usage(place).free
        if wanted > free:
            raise UserError(
                f"the prepared data need {_megabytes(wanted)}, but {place} has only {_megabytes(free)} left; "
                "make room, choose another disk with outputs=DIR, or ask for fewer clips"
            )

    def prepare(self, build: Build[Files]) -> None:
        """Build chunks that are missing or damaged; of several processes that call this at once, one builds.

        Args:
            build: writes chunks.

        Raises:
            UserError: the disk is too small.
        """
        if self.is_complete():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            if not self.is_complete():
                self.check_space()
                self._build(build)

    def _build(self, build: Build[Files]) -> None:
        done = self._intact_chunks()
        self.files.allocate()
        write_text(self._log, "".join(_line(*entry) for entry in done.items()))
        self._meta.unlink(missing_ok=True)
        todo = [chunk for chunk in range(self.files.n_chunks) if chunk not in done]
        with self._log.open("a", encoding="utf-8") as log:
            for chunk, checksum in build(self.files, todo) if todo else ():
                done[chunk] = checksum
                log.write(_line(chunk, checksum))
                log.flush()
        checksums = [done[chunk] for chunk in range(self.files.n_chunks)]
        write_json(self._verified, self._stamps())
        write_json(self._meta, {**self.description, "checksums": checksums})
        self._log.unlink()

    def _intact_chunks(self) -> dict[int, str]:
        """Return the checksums of recorded chunks that are intact; print a line where some are damaged or missing."""
        recorded, total = self._recorded(), self.files.n_chunks
        intact = {
            chunk: checksum for chunk, checksum in recorded.items() if self.files.checksum(chunk) == checksum
        }
        damaged = len(recorded) - len(intact)
        if damaged:
            say(f"{self.folder}: {damaged} of {total} chunks are damaged and are built again")
        elif self.folder.exists() and len(intact) < total:
            say(f"{self.folder}: {len(intact)} of {total} chunks are built; continuing from there")
        return intact

    def _stamps(self) -> dict[str, list[int]]:
        """Return the size in bytes and modification time in ns of each file that exists."""
        stats = {name: path.stat() for name, path in self.files.files.items() if path.exists()}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}

    def _recorded(self) -> dict[int, str]:
        entries = list(enumerate(self._final_checksums())) or _read_lines(self._log)
        return {chunk: checksum for chunk, checksum in entries if chunk < self.files.n_chunks}

    def _final_checksums(self) -> list[str]:
        """Read the checksums in `meta.json`; an empty list if it is missing or damaged."""
        meta = read_json(self._meta)
        checksums = meta.get("checksums") if isinstance(meta, dict) else None
        return checksums if isinstance(checksums, list) else []

    @property
    def _log(self) -> Path:
        return self.folder / "chunks.jsonl"

    @property
    def _meta(self) -> Path:
        return self.folder / "meta.json"

    @property
    def _verified(self) -> Path:
        return self.folder / "verified.json"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock file of a folder; a killed process releases it."""
    lock = filelock.FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        say(f"another process is building {folder}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _line(chunk: int, checksum: str) -> str:
    return json.dumps([chunk, checksum]) + "\n"


def _read_lines(path: Path) -> list[tuple[int, str]]:
    """Read the complete lines; the last one may have been cut off."""
    entries = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError):
            chunk, checksum = json.loads(line)
            entries.append((int(chunk), str(checksum)))
    return entries


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
