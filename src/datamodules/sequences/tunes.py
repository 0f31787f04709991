"""Tunes by their steps and leaps, and which are variants of one."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from src.splitting.groups import Link, links_by_key

OPENING = 8
"""Steps and leaps that name a tune."""

RUN = 12
"""Steps and leaps in a row that two variants of a tune share, be it after an upbeat or a passing note."""

PLACES = 12
"""Steps and leaps from the beginning at which such a row may begin."""

_STEPS = {b"C": 0, b"D": 2, b"E": 4, b"F": 5, b"G": 7, b"A": 9, b"B": 11}
_PITCH = re.compile(
    rb"<pitch>\s*<step>(\w)</step>\s*(?:<alter>([-\d.]+)</alter>\s*)?<octave>(\d+)</octave>\s*</pitch>"
)


def leaps(text: bytes) -> tuple[int, ...]:
    """Give the steps and leaps of the first part of a score, in semitones, without repeated notes.

    Args:
        text: MusicXML; grace notes and all notes of a chord but the first are passed over.
    """
    part = text.partition(b"<part ")[2].partition(b"</part>")[0]
    notes = [note for note in part.split(b"<note")[1:] if b"<grace" not in note and b"<chord" not in note]
    heights = [_height(*found.groups()) for found in map(_PITCH.search, notes) if found]
    return tuple(after - before for before, after in itertools.pairwise(heights) if after != before)


def soprano(text: bytes) -> str:
    """Name the tune of a score by how its first part begins.

    Args:
        text: MusicXML, see `leaps`.
    """
    return " ".join(f"{leap:+d}" for leap in leaps(text)[:OPENING])


def links_of_variants(tunes: Iterable[Sequence[int]]) -> Iterator[Link]:
    """Link variants of one tune: they share `RUN` steps and leaps in a row that begin among the first `PLACES`.

    Args:
        tunes: the leaps of each.
    """
    return links_by_key(map(_runs, tunes))


def _runs(tune: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for start in range(min(PLACES, len(tune) - RUN + 1)):
        yield tuple(tune[start : start + RUN])


def _height(step: bytes, alter: bytes | None, octave: bytes) -> int:
    return _STEPS[step] + round(float(alter or 0)) + 12 * int(octave)
