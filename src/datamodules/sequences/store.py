"""The features of items on disk, built once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from src.datamodules.sequences.rows import N_ROWS
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays

Made = dict[str, np.ndarray | int]


class SequenceMaker(Protocol):
    """Makes the features of items; must pickle, to be sent to worker processes."""

    def __call__(self, index: int) -> Made:
        """Return the features of item `index`, as `stored` does, with no frame if it cannot be used."""

    def problem(self, index: int) -> str:
        """Return why an item cannot be used, such as `is empty`."""


def stored(features: np.ndarray, max_frames: int) -> Made:
    """Return features as they are stored, cut or padded.

    Args:
        features: (140, T), finite; with no frame if the item cannot be used.
        max_frames: number of frames kept, from the beginning.

    Returns:
        `features`, float16 (140, max_frames), 0 past the end; `frames`; `digest`, a hash of the features.
    """
    kept = features[:, :max_frames].astype(np.float16)
    padded = np.zeros((N_ROWS, max_frames), np.float16)
    padded[:, : kept.shape[1]] = kept
    digest = hashlib.blake2b(kept.tobytes(), digest_size=8).digest()
    return {"features": padded, "frames": kept.shape[1], "digest": int.from_bytes(digest, "little")}


@dataclass(frozen=True)
class SequenceStore:
    """A folder with the features of all items of a data set.

    Args:
        folder: its path.
        n_items: number of items.
        max_frames: number of frames kept of each.
        description: of the items, for people who look into `meta.json`.
    """

    folder: Path
    n_items: int
    max_frames: int
    description: Mapping[str, Any]

    @property
    def cache(self) -> ArrayCache[ChunkedArrays]:
        """The arrays on disk."""
        arrays = {
            "features": ("float16", (N_ROWS, self.max_frames)),
            "frames": ("int64", ()),
            "digest": ("uint64", ()),
        }
        return ArrayCache(ChunkedArrays(self.folder, self.n_items, arrays), self.description)

    def prepare(self, make: SequenceMaker, workers: int | str, title: str) -> None:
        """Build the features that are missing.

        Args:
            make: makes the items.
            workers: number of processes that build, or `auto`.
            title: for the progress bar.

        Raises:
            UserError: a process was killed, or the disk is full.
        """
        self.cache.prepare(Builder(make, workers, title))

    def open(self) -> dict[str, np.ndarray]:
        """Map `features`, `frames` (0 where an item cannot be used) and `digest` into memory."""
        return self.cache.files.open()
