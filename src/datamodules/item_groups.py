"""Numbers of groups, equal wherever the groups are the same."""

import hashlib
from collections.abc import Iterable

import numpy as np


def named_groups(names: Iterable[str]) -> np.ndarray:
    """Return a number for each name, a hash of it: int64 (N,), >= 0."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return hashed_groups(np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64))


def hashed_groups(hashes: np.ndarray) -> np.ndarray:
    """Return hashes, uint64 (N,), without their last bit: int64 (N,), >= 0."""
    return (np.asarray(hashes, np.uint64) >> np.uint64(1)).astype(np.int64)
