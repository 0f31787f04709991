"""Scores read by music21, as notes."""

import contextlib
import gc
import re
import warnings
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from src.errors import UserError

TICKS_PER_BEAT = 10080
"""Divides by all of 1..10 and by 16 and 32: the lengths of nearly all notes are whole numbers of ticks."""

_PART = re.compile(rb"<score-part\b")
_SCORE = re.compile(r"^(?!META-INF/).*\.(music)?xml$")


def parsed(source: Path | str) -> Any:
    """Parse a score: give music21's stream. Its warnings, of measures that are too full and the like, are silenced.

    Args:
        source: a file that music21 knows, or a tune in ABC.

    Raises:
        UserError: music21 cannot read it.
    """
    from music21 import converter  # a quarter of a second

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(source, str):
                return converter.parseData(source, format="abc")
            # Parsed scores are not left behind in the folder for temporary files.
            return converter.parse(source, forceSource=True, storePickle=False)
    except Exception as error:
        raise UserError(f"music21 cannot read it ({' '.join(str(error).split())})") from error


def notes_of(part: Any, until: int | None = None) -> list[tuple[int, int, int]]:
    """Give (start, end, pitch) of a part's notes in ticks, tied notes as one; repeats are not played twice.

    Args:
        part: music21's.
        until: ticks; notes that begin later are left out. To tie notes takes time with the square of their number, up
            to half a minute in a whole quartet.
    """
    flat = part.flatten()
    if until is not None:
        flat = flat.getElementsByOffset(0, until / TICKS_PER_BEAT).stream()
    flat.stripTies(inPlace=True)  # a copy would take as long as parsing
    notes = []
    for element in flat.notes:
        start, end = _ticks(element.offset), _ticks(element.offset + element.quarterLength)
        notes += [(start, end, pitch.midi) for pitch in element.pitches if end > start]  # else a grace note
    return sorted(notes)


def length_of(score: Any) -> int:
    """Give where the last note of a score ends, ticks; 0 where there is none."""
    return max((_ticks(note.offset + note.quarterLength) for note in score.flatten().notes), default=0)


def musicxml(path: Path) -> bytes:
    """Read the text of a MusicXML file, compressed or not; empty where it is none."""
    if path.suffix in (".xml", ".musicxml"):
        return path.read_bytes()
    if path.suffix != ".mxl":
        return b""
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist() if _SCORE.match(name))


def count_parts(text: bytes) -> int:
    """Count the parts of a MusicXML file by its list of parts, some hundred times sooner than by parsing it."""
    return len(_PART.findall(text))


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from searching what is being parsed again and again: a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _ticks(quarters: float | Fraction) -> int:
    return round(Fraction(quarters) * TICKS_PER_BEAT)
