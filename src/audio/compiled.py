"""Functions of librosa that numba compiles at their first call."""

import functools
import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
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
    """Return the file that processes lock: beside numba's own files, which several machines may share.

    Where the environment can't be written to, numba keeps its files for each user, and so is the lock; a user in a
    container may have a number but no name.
    """
    spec = find_spec("librosa")
    if spec is not None and spec.origin and os.access(Path(spec.origin).parent, os.W_OK):
        return Path(spec.origin).parent / ".polysweep-numba.lock"
    user = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()) / f"polysweep-numba-{user}.lock"
