"""Bach's chorales of music21's corpus as notes, and as piano rolls."""

import functools
import re
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
from src.splitting.tunes import intervals, opening, runs

if TYPE_CHECKING:
    from music21.stream import Part

PARTS = 4
_VELOCITY = 80


@dataclass(frozen=True)
class ChoraleMaker:
    """Makes the roll of a chorale.

    Its group is the opening of the soprano; its keys are its titles and the runs of intervals that variants of its tune
    share (see `src.splitting.tunes`).

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
        tune = intervals(pitch for _, _, pitch in parts[0])
        keys = (*titles_of(path.stem), *(" ".join(map(str, run)) for run in runs(tune)))
        return Piece(path.stem, opening(tune), sounding, onsets, keys=keys)


def chorale_files() -> list[Path]:
    """Return the pieces of Bach in the corpus that have four parts, in order of their names.

    The corpus's own list of chorales has files with other numbers of parts, and misses some with four.
    """
    from music21 import corpus

    files = [Path(path) for path in corpus.getComposer("bach")]
    return sorted(
        path for path in files if path.name.startswith("bwv") and count_parts(musicxml(path)) == PARTS
    )


def titles_of(name: str) -> tuple[str, ...]:
    """Return the titles of a chorale in music21's list of Riemenschneider's edition; none if it is not there.

    A title is the first line of the words. Only its letters count, in lower case, since the list spells some titles in
    several ways.

    Args:
        name: such as `bwv248.12-2`; what follows the hyphen is ignored, since list and files differ there.
    """
    return _titles().get(_number(name.removeprefix("bwv")), ())


@functools.cache
def _titles() -> dict[str, tuple[str, ...]]:
    from music21.corpus.chorales import ChoraleListRKBWV  # a quarter of a second

    found: dict[str, tuple[str, ...]] = {}
    for entry in ChoraleListRKBWV().byRiemenschneider.values():
        number = _number(str(entry["bwv"]))
        found[number] = (*found.get(number, ()), re.sub(r"[\W\d_]", "", entry["title"].casefold()))
    return found


def _number(name: str) -> str:
    return name.partition("-")[0]


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
