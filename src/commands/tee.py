"""Output to the terminal and into a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from pathlib import Path
from typing import TextIO


class _Both(TextIOBase):
    """Writes to two streams; in all other respects it behaves like the first."""

    def __init__(self, shown: TextIO, kept: TextIO) -> None:
        self._shown, self._kept = shown, kept

    def write(self, text: str) -> int:
        self._kept.write(text)
        return self._shown.write(text)

    def flush(self) -> None:
        self._shown.flush()
        self._kept.flush()

    def isatty(self) -> bool:
        return self._shown.isatty()

    def fileno(self) -> int:
        return self._shown.fileno()


@contextmanager
def tee(path: Path) -> Iterator[None]:
    """Copy everything that is printed into a file.

    Args:
        path: of the file; new text is appended.
    """
    before = sys.stdout, sys.stderr
    with path.open("a", encoding="utf-8", buffering=1) as kept:
        sys.stdout, sys.stderr = (_Both(stream, kept) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
