"""Messages to the user while something runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from src.errors import printable


def say(text: str) -> None:
    """Print a message for the user on stderr, if anybody reads it; see `printable`."""
    with suppress(OSError, ValueError):
        print(printable(text), file=sys.stderr, flush=True)


def reason(error: Exception) -> str:
    """Return an exception's type and message in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


@contextmanager
def dispensable(what: object) -> Iterator[None]:
    """Say in one line that something could not be written, and go on: for what no figure depends on.

    Args:
        what: e.g. the path of a picture.
    """
    try:
        yield
    except Exception as error:
        say(f"{what} is not written ({reason(error)})")
