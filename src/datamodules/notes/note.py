"""A single note, and which part of a split it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.errors import UserError
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
        dynamics: pp, mf, ff, ….
        fold: 0..4.
    """

    name: str
    instrument: str
    pitch: int
    dynamics: str
    fold: int


def by_pitch(notes: Sequence[Note], seed: int) -> list[Note]:
    """Give folds such that all notes of one pitch of one instrument share a fold.

    The pitches of each instrument are drawn in random order and dealt out to the folds in turn.

    Args:
        notes: any.
        seed: of the draw, >= 0.
    """
    folds: dict[tuple[str, int], int] = {}
    for number, instrument in enumerate(sorted({note.instrument for note in notes})):
        pitches = sorted({note.pitch for note in notes if note.instrument == instrument})
        order = np.random.default_rng([seed, number]).permutation(len(pitches))
        folds |= {(instrument, pitches[chosen]): turn % N_FOLDS for turn, chosen in enumerate(order)}
    return [replace(note, fold=folds[note.instrument, note.pitch]) for note in notes]


def check_split(split: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Check which folds make which part.

    Args:
        split: folds of `train`, `val` and `test`.

    Raises:
        UserError: a part is missing, a fold is in two parts, or there is no such fold.
    """
    if set(split) != set(SPLITS):
        raise UserError(f"data.split is {dict(split)}: give the folds of train, val and test")
    folds = [fold for part in SPLITS for fold in split[part]]
    if len(set(folds)) < len(folds) or not set(folds) <= set(range(N_FOLDS)):
        raise UserError(
            f"data.split is {dict(split)}: give each of the folds 0..{N_FOLDS - 1} to one part only"
        )
    return {part: tuple(split[part]) for part in SPLITS}
