"""Functions of librosa that numba compiles, and the files in which it keeps them."""

import functools
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from src.paths import private_folder


@functools.cache
def import_librosa(*, beats: bool = False) -> Any:
    """Import librosa and the modules that compile functions when they are imported, one process after the other.

    Numba keeps what it has compiled in files that it does not lock. A function of `numba.guvectorize` has two, which
    refer to each other. Where two processes write them at once, the files of one go with those of the other, and every
    process that reads them later crashes.

    Args:
        beats: whether the beat tracker is needed, which takes seconds to import.

    Returns:
        The module.
    """
    with FileLock(lock_file()):
        import librosa.core.audio
        import librosa.core.pitch
        import librosa.util.utils

        if beats:
            import librosa.beat
    return librosa


def lock_file() -> Path:
    """Return the file that processes lock: beside numba's own files, which several machines may share.

    Where the environment can't be written to, numba keeps its files for each user, and so is the lock.

    Raises:
        UserError: the folder for temporary files holds something of another user's in its place.
    """
    spec = find_spec("librosa")
    if spec is not None and spec.origin and os.access(Path(spec.origin).parent, os.W_OK):
        return Path(spec.origin).parent / ".polysweep-numba.lock"
    return private_folder() / "numba.lock"
