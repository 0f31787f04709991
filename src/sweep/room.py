"""Room on the disk: a full disk makes a sweep wait, not fail."""

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LEAST_FREE = 20_000_000
"""Bytes that must be free for another trial to begin."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk, and of a user's full share of it."""

FULL = 74
"""Exit code of a trial that found the disk full."""

WAIT_S = 1.0


class Room:
    """Waits for room in a folder.

    Args:
        folder: of the outputs.
        say: prints a line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._full = False
        self._waits = True

    def wait_no_more(self) -> None:
        """From now on leave out what there is no room for: the sweep is to end."""
        self._waits = False

    def suffices(self) -> bool:
        """Whether there is room for another trial; where there is none, that is said once."""
        if shutil.disk_usage(self._folder).free < LEAST_FREE:
            self._tell()
            return False
        self._full = False
        return True

    def write(self, write: Callable[[], T]) -> T | None:
        """Call a function that writes, again and again until there is room, and return its result.

        Returns:
            `None` where there is no room and `wait_no_more` was called.
        """
        while True:
            try:
                return write()
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
            self._tell()
            if not self._waits:
                return None
            time.sleep(WAIT_S)

    def _tell(self) -> None:
        if not self._full:
            self._full = True
            self._say(
                f"The disk of {self._folder} is full: no trial begins until there is room. Delete files, or press "
                "Ctrl-C: the same command continues later."
            )
