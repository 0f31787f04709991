"""Functions of librosa that numba compiles at their first call."""

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from filelock import FileLock

P = ParamSpec("P")
R = TypeVar("R")


def compiles_alone(function: Callable[P, R]) -> Callable[P, R]:
    """Let the first call in a process wait for the first calls in other processes.

    Numba keeps what it has compiled in files that it does not lock. Where two processes write them at once, they
    are broken for good, and every process that reads them later crashes.

    Args:
        function: what it calls of librosa is compiled by its first call.
    """
    called = False

    @functools.wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal called
        if called:
            return function(*args, **kwargs)
        with FileLock(lock_file()):
            result = function(*args, **kwargs)
        called = True
        return result

    return alone


def lock_file() -> Path:
    """Return the file that the processes of this user lock; a user in a container may have a number but no name."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()) / f"polysweep-numba-{user}.lock"
