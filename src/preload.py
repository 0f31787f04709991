"""Imported by the fork server. Failures are ignored here: the process that needs a library reports them."""

from contextlib import suppress

with suppress(Exception):
    import src.imports  # noqa: F401
