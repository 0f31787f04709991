"""Numbers of groups, equal wherever the groups' names are the same."""

import hashlib
from collections.abc import Iterable

import numpy as np


def named_groups(names: Iterable[str]) -> np.ndarray:
    """Return a number for each name, 63 bits of a hash of it: int64 (N,), >= 0."""
    digests = (
        hashlib.blake2b(name.encode(errors="backslashreplace"), digest_size=8).digest() for name in names
    )
    return np.array([int.from_bytes(digest, "little") >> 1 for digest in digests], np.int64)
