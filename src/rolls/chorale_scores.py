"""Bach's chorales of music21's corpus as notes, and as piano rolls."""

import contextlib
import gc
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src.audio.notes import Notes
from src.audio.roll import Grid, to_roll
from src.errors import UserError
from src.rolls.piece import Piece

if TYPE_CHECKING:
    from music21.stream import Part

TICKS_PER_BEAT = 10080
"""Divides by all of 1..10 and by 16 and 32: the lengths of a chorale's notes are whole numbers of ticks."""

PARTS = 4
_TUNE_INTERVALS = 8
_VELOCITY = 80
_PART = re.compile(rb"<score-part\b")
_SCORE = re.compile(r"^(?!META-INF/).*\.(music)?xml$")


@dataclass(frozen=True)
class ChoraleMaker:
    """Makes the roll of a chorale; its group is the tune, by the first 8 steps and leaps of the soprano.

    Args:
        grid: what the steps and keys are.
    """

    grid: Grid

    def __call__(self, source: str) -> Piece:
        """Make a piece from a MusicXML file.

        Args:
            source: its path.

        Raises:
            UserError: it cannot be used; the message names it.
        """
        path = Path(source)
        with _collector_paused():
            parts = [_notes_of(part) for part in _parse(path)]
        sounding, onsets = to_roll(_together(parts), self.grid)
        return Piece(name=path.stem, group=_tune(parts[0]), sounding=sounding, onsets=onsets)


def chorale_files() -> list[Path]:
    """Find the pieces of Bach in the corpus that have four parts, in order of their names.

    The corpus's own list of chorales names files of other numbers of parts, and misses some of four.
    """
    from music21 import corpus

    files = [Path(path) for path in corpus.getComposer("bach")]
    return sorted(path for path in files if path.name.startswith("bwv") and _n_parts(path) == PARTS)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from searching what is being parsed again and again: a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _n_parts(path: Path) -> int:
    """Count the parts of a MusicXML file by its list of parts, some hundred times sooner than by parsing it."""
    if path.suffix == ".xml":
        return len(_PART.findall(path.read_bytes()))
    if path.suffix != ".mxl":
        return 0
    with zipfile.ZipFile(path) as archive:
        return sum(
            len(_PART.findall(archive.read(name))) for name in archive.namelist() if _SCORE.match(name)
        )


def _parse(path: Path) -> list["Part"]:
    from music21 import converter

    try:
        # Parsed scores are not left behind in the folder for temporary files.
        score: Any = converter.parse(path, forceSource=True, storePickle=False)
    except Exception as error:
        raise UserError(f"{path.name}: music21 cannot read it ({error})") from error
    if len(score.parts) != PARTS:
        raise UserError(f"{path.name} has {len(score.parts)} parts, not {PARTS}")
    return list(score.parts)


def _notes_of(part: Any) -> list[tuple[int, int, int]]:
    """Give (start, end, pitch) of a part's notes in ticks, tied notes as one; repeats are not played twice."""
    flat = part.flatten()
    flat.stripTies(inPlace=True)  # a copy would take as long as parsing
    notes = []
    for element in flat.notes:
        start, end = _ticks(element.offset), _ticks(element.offset + element.quarterLength)
        notes += [(start, end, pitch.midi) for pitch in element.pitches if end > start]  # else a grace note
    return sorted(notes)


def _ticks(quarters: float | Fraction) -> int:
    return round(Fraction(quarters) * TICKS_PER_BEAT)


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
    """Name a tune by the first intervals of the soprano, in semitones; repeated notes depend on the words."""
    steps = [after - before for (_, _, before), (_, _, after) in itertools.pairwise(soprano)]
    return " ".join(f"{step:+d}" for step in [step for step in steps if step][:_TUNE_INTERVALS])
