"""Bach's chorales of music21's corpus as notes, and as piano rolls."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src.audio.notes import Notes
from src.audio.roll import Grid, to_roll
from src.audio.score_files import (
    TICKS_PER_BEAT,
    count_parts,
    garbage_collection_paused,
    musicxml,
    parse_score,
)
from src.audio.score_files import notes_of as _notes_of
from src.datamodules.rolls.piece import Piece
from src.errors import UserError

if TYPE_CHECKING:
    from music21.stream import Part

PARTS = 4
_TUNE_INTERVALS = 8
_VELOCITY = 80


@dataclass(frozen=True)
class ChoraleMaker:
    """Makes the roll of a chorale; its group is the tune, recognised by the first 8 intervals of the soprano.

    Args:
        grid: length of a step and range of keys.
    """

    grid: Grid

    def __call__(self, piece_id: str) -> Piece:
        """Make a piece from a MusicXML file.

        Args:
            piece_id: its path.

        Raises:
            UserError: it cannot be used; the message names it.
        """
        path = Path(piece_id)
        with garbage_collection_paused():
            parts = [_notes_of(part) for part in _parse(path)]
        sounding, onsets = to_roll(_together(parts), self.grid)
        return Piece(name=path.stem, group=_tune(parts[0]), sounding=sounding, onsets=onsets)


def chorale_files() -> list[Path]:
    """Return the pieces of Bach in the corpus that have four parts, in order of their names.

    The corpus's own list of chorales has files with other numbers of parts, and misses some with four.
    """
    from music21 import corpus

    files = [Path(path) for path in corpus.getComposer("bach")]
    return sorted(
        path for path in files if path.name.startswith("bwv") and count_parts(musicxml(path)) == PARTS
    )


def _parse(path: Path) -> list["Part"]:
    try:
        parts = list(parse_score(path).parts)
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from error
    if len(parts) != PARTS:
        raise UserError(f"{path.name} has {len(parts)} parts, not {PARTS}")
    return parts


def _together(parts: Iterable[list[tuple[int, int, int]]]) -> Notes:
    notes = sorted((start, pitch, end) for part in parts for start, end, pitch in part)
    start, pitch, end = np.array(notes, np.int64).reshape(-1, 3).T
    return Notes(
        pitch=pitch.astype(np.uint8),
        velocity=np.full(len(pitch), _VELOCITY, np.uint8),
        start=start,
        end=end,
        ticks_per_beat=TICKS_PER_BEAT,
        tempo_ticks=np.zeros(1, np.int64),
        tempo_seconds_per_beat=np.full(1, 0.5),
    )


def _tune(soprano: list[tuple[int, int, int]]) -> str:
    """Return the first intervals of the soprano, in semitones, without repetitions, which depend on the words."""
    steps = [after - before for (_, _, before), (_, _, after) in itertools.pairwise(soprano)]
    return " ".join(f"{step:+d}" for step in [step for step in steps if step][:_TUNE_INTERVALS])
