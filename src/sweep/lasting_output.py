"""An output that may lose its reader."""

import errno
import os
from contextlib import suppress
from typing import IO, Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class LastingOutput:
    """Passes text on, and drops it once nobody reads: a sweep outlives the `head` or terminal that showed it.

    Text for a file on a full disk is dropped, too, until there is room again.

    Args:
        stream: the output; `None` where there is none.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; return its length."""
        self._try("write", text)
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        self._try("flush")

    def _try(self, method: str, *arguments: str) -> None:
        try:
            if self._stream is not None:
                getattr(self._stream, method)(*arguments)
        except ValueError:  # it has been closed
            self._stream = None
        except OSError as error:
            if error.errno not in _NO_ROOM:
                self._lose()

    def _lose(self) -> None:
        """Let what is written, and what Python has kept to write, go nowhere."""
        with suppress(OSError, ValueError, AttributeError):
            assert self._stream is not None
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)
        self._stream = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
