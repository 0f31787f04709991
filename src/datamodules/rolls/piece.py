"""A piece as a piano roll: as it is made, as it is stored, and a sketch by which copies of it are found."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from src.errors import UserError

SKETCH_SIZE = 64
"""Number of hashes in a sketch of a piece; two pieces that share half of them count as nearly identical."""

_PASSAGE = 8  # changes of harmony in a row that are hashed together
_LEAST_STEPS = 2  # one to predict, and one before it


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece as its maker returns it.

    Attributes:
        name: for people.
        group: pieces of one group are in one split.
        sounding: bool (T, n_notes), the keys that sound at each step.
        onsets: bool (T, n_notes), the notes that start there, a subset of `sounding`.
        split: `train`, `val` or `test` where the data set has its own split, else empty.
        keys: what else it shares with pieces of its group, such as a title: those with a common key are one group.
    """

    name: str
    group: str
    sounding: np.ndarray
    onsets: np.ndarray
    split: str = ""
    keys: tuple[str, ...] = ()


PieceMaker = Callable[[str], Piece]
"""Makes a piece from its id, such as a path; a UserError leaves the piece out. It must pickle."""


def packed_piece(piece: Piece) -> dict[str, Any]:
    """Pack a piece to bits.

    Returns:
        `sounding` and `onsets`, uint8 (T, bytes); `sketch`, uint64 (n,); and `about`, JSON of its name, group,
        split, keys, length and digest.

    Raises:
        UserError: it has fewer than two steps.
    """
    assert piece.sounding.shape == piece.onsets.shape, "sounding and onsets differ in shape"
    if len(piece.sounding) < _LEAST_STEPS:
        raise UserError(
            f"{piece.name} has fewer than {_LEAST_STEPS} steps; take more steps a beat, or more keys"
        )
    sounding, onsets = (np.packbits(roll.astype(bool), axis=1) for roll in (piece.sounding, piece.onsets))
    digest = hashlib.blake2b(sounding.tobytes() + onsets.tobytes(), digest_size=8).hexdigest()
    about = {
        "name": piece.name,
        "group": piece.group,
        "split": piece.split,
        "keys": piece.keys,
        "length": len(sounding),
        "digest": digest,
    }
    return {"about": json.dumps(about), "sounding": sounding, "onsets": onsets, "sketch": sketch(sounding)}


def unpack(packed: np.ndarray, n_notes: int) -> np.ndarray:
    """Return keys unpacked from bits: uint8 (..., bytes) becomes uint8 (..., n_notes), 0 or 1."""
    return np.unpackbits(packed, axis=-1, count=n_notes)


def sketch(packed: np.ndarray) -> np.ndarray:
    """Return hashes of the passages of a piece, by which copies are found whatever their tempo.

    A passage is 8 successive columns after equal neighbours are merged; the smallest hashes are a fair sample of all
    (bottom-k sketch: Broder, 'On the resemblance and containment of documents', 1997).

    Args:
        packed: uint8 (T, bytes), the keys that sound.

    Returns:
        uint64 (n,), n <= `SKETCH_SIZE`, sorted; empty for a piece of fewer than 8 different columns in a row.
    """
    changed = np.any(packed[1:] != packed[:-1], axis=1)
    columns = packed[np.concatenate([[True], changed])] if len(packed) else packed
    if len(columns) < _PASSAGE:
        return np.zeros(0, np.uint64)
    bytes_each = packed.shape[1]
    weights = np.random.SeedSequence(0).generate_state(bytes_each * _PASSAGE, np.uint64)
    # A weighted sum of all bytes modulo 2^64: two passages agree by chance once in 2^56.
    sums = columns.astype(np.uint64) @ weights.reshape(bytes_each, _PASSAGE)
    last = len(columns) - _PASSAGE + 1
    hashes = np.zeros(last, np.uint64)
    for step in range(_PASSAGE):
        hashes += sums[step : step + last, step]
    return np.unique(_mixed(hashes))[:SKETCH_SIZE]


def _mixed(hashes: np.ndarray) -> np.ndarray:
    """Make the order of hashes random: the finaliser of SplitMix64 (Steele et al., 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(hashes ^ (hashes >> np.uint64(31)))
