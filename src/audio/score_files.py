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
"""Divisible by 1..10, 16 and 32, so that nearly all note lengths are whole numbers of ticks."""

_PART = re.compile(rb"<score-part\b")
_SCORE = re.compile(r"^(?!META-INF/).*\.(music)?xml$")


def parse_score(source: Path | str) -> Any:
    """Parse a score into a music21 stream; warnings, such as about overfull measures, are silenced.

    Args:
        source: a file in a format that music21 reads, or a tune in ABC notation.

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
    """Return sorted (start, end, pitch) of a part's notes in ticks; tied notes are joined, repeats not expanded.

    Args:
        part: a music21 part.
        until: ticks; notes that begin later are left out. The time to join ties grows with the square of the number
            of notes, up to half a minute for a whole quartet.
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
    """Return the end of the last note of a score in ticks, 0 without notes."""
    return max((_ticks(note.offset + note.quarterLength) for note in score.flatten().notes), default=0)


def musicxml(path: Path) -> bytes:
    """Read the text of a MusicXML file, compressed or not; empty for other files."""
    if path.suffix in (".xml", ".musicxml"):
        return path.read_bytes()
    if path.suffix != ".mxl":
        return b""
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist() if _SCORE.match(name))


def count_parts(text: bytes) -> int:
    """Count the entries in the part list of a MusicXML file, about a hundred times faster than by parsing it."""
    return len(_PART.findall(text))


@contextlib.contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Pause garbage collection, which would take a quarter of the time of parsing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _ticks(quarters: float | Fraction) -> int:
    return round(Fraction(quarters) * TICKS_PER_BEAT)
