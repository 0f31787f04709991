"""Prepared data on disk: built once by one process, verified when opened, never half used."""

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
    """Files in a folder that are checked a chunk at a time, such as `ChunkedArrays`."""

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
        """Bytes on disk, 0 where that is unknown before."""

    def allocate(self) -> None:
        """Make the folder, and what must be there before a chunk is written."""

    def checksum(self, chunk: int) -> str:
        """Compute the checksum of what the files hold of a chunk."""


Files = TypeVar("Files", bound=CachedFiles)

Build = Callable[[Files, list[int]], Iterator[tuple[int, str]]]
"""Writes the given chunks, in any order and process, and yields number and checksum of each that is done."""


@dataclass(frozen=True)
class ArrayCache(Generic[Files]):
    """A folder of prepared arrays.

    While they are built, `chunks.jsonl` holds the checksum of each finished chunk, a line each. When all are
    there the checksums move into `meta.json`, which makes the folder valid. `verified.json` remembers by size
    and modification time which files agreed with their checksums.

    Args:
        files: the arrays.
        description: what they are, for people who look into `meta.json`.
    """

    files: Files
    description: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.files.folder

    def is_complete(self) -> bool:
        """Tell whether all is built, and unchanged since it was verified."""
        stamps = self._stamps()
        verified = len(stamps) == len(self.files.files) and read_json(self._verified) == stamps
        return verified and len(self._final_checksums()) == self.files.n_chunks

    def check_space(self) -> None:
        """Check that the disk can hold what is still to be written.

        Raises:
            UserError: it cannot.
        """
        place = next(parent for parent in self.folder.absolute().parents if parent.exists())
        wanted = self.files.size - sum(size for size, _ in self._stamps().values())
        free = shutil.disk_usage(place).free
        if wanted > free:
            raise UserError(
                f"the prepared data need {_megabytes(wanted)} and {place} has {_megabytes(free)} left; "
                "make room, choose another disk with outputs=DIR, or ask for fewer clips"
            )

    def prepare(self, build: Build[Files]) -> None:
        """Build what is missing or damaged; of several processes that ask at once, one builds.

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
        done = self._sound_chunks()
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

    def _sound_chunks(self) -> dict[int, str]:
        """Give the recorded chunks that agree with their checksums; say so where some do not."""
        recorded, total = self._recorded(), self.files.n_chunks
        sound = {
            chunk: checksum for chunk, checksum in recorded.items() if self.files.checksum(chunk) == checksum
        }
        damaged = len(recorded) - len(sound)
        if damaged:
            say(f"{self.folder}: {damaged} of {total} parts are damaged and are built again")
        elif self.folder.exists() and len(sound) < total:
            say(f"{self.folder}: {len(sound)} of {total} parts are built; going on from there")
        return sound

    def _stamps(self) -> dict[str, list[int]]:
        """Return size in bytes and modification time in ns of each file that is there."""
        stats = {name: path.stat() for name, path in self.files.files.items() if path.exists()}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}

    def _recorded(self) -> dict[int, str]:
        entries = list(enumerate(self._final_checksums())) or _read_lines(self._log)
        return {chunk: checksum for chunk, checksum in entries if chunk < self.files.n_chunks}

    def _final_checksums(self) -> list[str]:
        """Read the checksums of `meta.json`; an empty list if it is not there or damaged."""
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
    """Hold the lock beside a folder; a process that is killed lets go of it."""
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
    """Read the lines that are whole; the last one may have been cut off."""
    entries = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError):
            chunk, checksum = json.loads(line)
            entries.append((int(chunk), str(checksum)))
    return entries


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
