"""What the fork server imports. A library that does not load is told by the process that needs it, in one line."""

from contextlib import suppress

with suppress(Exception):
    import src.imports  # noqa: F401
