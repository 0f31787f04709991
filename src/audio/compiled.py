"""Functions of librosa that numba compiles, and the files in which it keeps them."""

import functools
import importlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

COMPILED = ("librosa.util.utils", "librosa.core.audio", "librosa.core.pitch")
"""Modules with functions that are compiled when they are imported for the first time, which all others import."""

BEATS = "librosa.beat"
"""Another one, which takes seconds to import."""


@functools.cache
def import_librosa(*further: str) -> Any:
    """Import librosa and what is compiled with it, one process after the other; return the module.

    Args:
        further: names of modules, such as `BEATS`.

    Numba keeps what it has compiled in files that it does not lock. A function of `numba.guvectorize` has two, which
    refer to each other. Where two processes write them at once, the files of one go with those of the other, and every
    process that reads them later crashes.
    """
    with FileLock(lock_file()):
        for name in (*COMPILED, *further):
            importlib.import_module(name)
    return importlib.import_module("librosa")


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
