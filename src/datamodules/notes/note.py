"""A single note, and the fold that it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from src.rules import Rule, Unfit, by_name, each, whole
from src.splitting.splits import SPLITS

FOLDS = ("own", "pitch")
N_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Note:
    """One recording of one note.

    Args:
        name: its file, relative to the folder of sounds, or instrument, pitch and dynamics.
        instrument: its class.
        pitch: MIDI number, 0..127.
        dynamics: `pp`, `mf`, `ff` and so on.
        fold: 0..4.
    """

    name: str
    instrument: str
    pitch: int
    dynamics: str
    fold: int


def by_pitch(notes: Sequence[Note], seed: int) -> list[Note]:
    """Return the notes with new folds, such that all notes of one pitch of one instrument share a fold.

    The pitches of each instrument are shuffled and dealt out to the folds in turn.

    Args:
        notes: their folds do not matter.
        seed: of the shuffling, >= 0.
    """
    folds: dict[tuple[str, int], int] = {}
    for number, instrument in enumerate(sorted({note.instrument for note in notes})):
        pitches = sorted({note.pitch for note in notes if note.instrument == instrument})
        order = np.random.default_rng([seed, number]).permutation(len(pitches))
        folds |= {(instrument, pitches[chosen]): turn % N_FOLDS for turn, chosen in enumerate(order)}
    return [replace(note, fold=folds[note.instrument, note.pitch]) for note in notes]


def _folds(key: str, value: Any) -> dict[str, tuple[int, ...]]:
    split: dict[str, tuple[int, ...]] = by_name(each(whole(0, N_FOLDS - 1)), SPLITS).read(key, value)
    folds = [fold for of_split in split.values() for fold in of_split]
    if len(set(folds)) < len(folds):
        raise Unfit
    return split


FOLDS_OF_SPLITS = Rule(f"folds of train, val and test, each of 0..{N_FOLDS - 1} for one split only", _folds)
"""Rule for the folds of each split."""
