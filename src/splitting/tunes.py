"""Tunes as sequences of intervals, and which of them are variants of one tune."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from src.splitting.groups import Link, links_by_key

OPENING = 8
"""Number of first intervals that identify a tune."""

RUN = 12
"""Successive intervals that two variants of a tune share, perhaps after an upbeat or a passing note."""

PLACES = 12
"""Number of first intervals at which such a run may begin."""

_STEPS = {b"C": 0, b"D": 2, b"E": 4, b"F": 5, b"G": 7, b"A": 9, b"B": 11}
_PITCH = re.compile(
    rb"<pitch>\s*<step>(\w)</step>\s*(?:<alter>([-\d.]+)</alter>\s*)?<octave>(\d+)</octave>\s*</pitch>"
)


def leaps(text: bytes) -> tuple[int, ...]:
    """Return the intervals of the first part of a score, in semitones, without repeated notes.

    Args:
        text: MusicXML; grace notes, and all notes of a chord but the first, are ignored.
    """
    part = text.partition(b"<part ")[2].partition(b"</part>")[0]
    notes = [note for note in part.split(b"<note")[1:] if b"<grace" not in note and b"<chord" not in note]
    return intervals([_height(*found.groups()) for found in map(_PITCH.search, notes) if found])


def intervals(pitches: Iterable[int]) -> tuple[int, ...]:
    """Return the steps from note to note, in semitones, without repeated notes, which depend on the words.

    Args:
        pitches: MIDI numbers, or others that count semitones.
    """
    return tuple(after - before for before, after in itertools.pairwise(pitches) if after != before)


def opening(tune: Sequence[int]) -> str:
    """Return the first intervals of a tune, as text that identifies it."""
    return " ".join(f"{leap:+d}" for leap in tune[:OPENING])


def soprano(text: bytes) -> str:
    """Return the first intervals of the first part of a score, as text that identifies its tune.

    Args:
        text: MusicXML, see `leaps`.
    """
    return opening(leaps(text))


def links_of_variants(tunes: Iterable[Sequence[int]]) -> Iterator[Link]:
    """Yield links between variants of a tune: they share `RUN` successive intervals among their first ones.

    Args:
        tunes: the intervals of each; a shared run begins in each of them among the first `PLACES`.
    """
    return links_by_key(map(runs, tunes))


def runs(tune: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the runs of a tune by which its variants are recognised, see `links_of_variants`."""
    for start in range(min(PLACES, len(tune) - RUN + 1)):
        yield tuple(tune[start : start + RUN])


def _height(step: bytes, alter: bytes | None, octave: bytes) -> int:
    return _STEPS[step] + round(float(alter or 0)) + 12 * int(octave)
