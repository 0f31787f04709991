"""An output that may lose its reader."""

from typing import IO, Any


class LastingOutput:
    """Passes text on, and drops it once nobody reads: a sweep outlives the `head` or terminal that showed it.

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
        except (BrokenPipeError, ValueError):  # ValueError: it has been closed
            self._stream = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
