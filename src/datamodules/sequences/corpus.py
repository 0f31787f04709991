"""The scores of music21's corpus by genre, listed without parsing any, and the groups that must not be split."""

import functools
import importlib.util
import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from src.audio.score_files import count_parts, musicxml
from src.errors import UserError
from src.splitting.groups import united
from src.splitting.tunes import leaps, links_of_variants, soprano

_CHORALE_PARTS = 4
_QUARTETS = (
    "haydn/opus*/*",
    "mozart/k80/*",
    "mozart/k15?/*",
    "mozart/k458/*",
    "beethoven/opus*/*",
    "beethoven/opus*",
)
_NUMBERED = re.compile(
    r"PMFC_\d+[-_](?:[A-Za-z]+[-_])?(?:\d+[ab]?[-_])?"
)  # the edition's volume, composer, number


@dataclass(frozen=True)
class CorpusPiece:
    """A piece of the corpus.

    Attributes:
        path: of its file, relative to the corpus, with `/`.
        tune: its number in a file of many tunes in ABC, from 1; 0: it is the whole file.
        group: the work, collection or tune that must not be split.
        beat: length of a beat in crotchets.
    """

    path: str
    tune: int
    group: str
    beat: int = 1


@dataclass(frozen=True)
class Genre:
    """The files and groups of a genre.

    Args:
        patterns: of files, relative to the corpus.
        group: returns the group of a piece, from its path, or from its text if it is one of many tunes in a file; an
            empty group means that it is not a piece of the genre.
        tunes: whether files are collections of tunes in ABC.
        settings: whether pieces are settings of tunes, whose variants must not be split either.
        beat: length of a beat in crotchets; 2 where the edition keeps old note values, so that the beat is a minim.
    """

    patterns: tuple[str, ...]
    group: Callable[..., str]
    tunes: bool = False
    settings: bool = False
    beat: int = 1


def corpus_folder() -> Path:
    """Return the folder of music21's corpus, without importing music21.

    Raises:
        UserError: music21 is not installed.
    """
    found = importlib.util.find_spec("music21")
    if found is None or found.origin is None:
        raise UserError("the scores are part of music21, which is not installed: pip install music21")
    return Path(found.origin).parent / "corpus"


def draw_pieces(folder: Path, genre: str, max_pieces: int, seed: int) -> list[CorpusPiece]:
    """Draw pieces of a genre, independently of the other genres.

    Args:
        folder: of the corpus.
        genre: a key of `GENRES`.
        max_pieces: the most to draw.
        seed: of the draw, >= 0.

    Returns:
        The pieces in the order of the draw, whose beginning does not depend on `max_pieces`; groups of pieces that are
        variants of one tune are united.
    """
    described = GENRES[genre]
    listed = _candidates(folder, described)
    order = np.random.default_rng([seed, list(GENRES).index(genre)]).permutation(len(listed))
    pieces = (_piece(folder, described, *listed[number]) for number in order)
    drawn = list(itertools.islice((piece for piece in pieces if piece.group), max_pieces))
    return _variants_united(folder, drawn) if described.settings else drawn


@functools.lru_cache(maxsize=64)
def tunes_of(path: Path) -> list[str]:
    """Return the tunes of a file in ABC; each begins with its number, `X:`."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.split(r"^(?=X:)", text, flags=re.MULTILINE)[1:]


def _candidates(folder: Path, genre: Genre) -> list[tuple[Path, int]]:
    """Return files, or the tunes in them; some may turn out not to be pieces of the genre."""
    files = sorted(file for pattern in genre.patterns for file in folder.glob(pattern))
    if not genre.tunes:
        return [(file, 0) for file in files]
    return [(file, number) for file in files for number in range(1, len(tunes_of(file)) + 1)]


def _piece(folder: Path, genre: Genre, path: Path, tune: int) -> CorpusPiece:
    group = genre.group(tunes_of(path)[tune - 1] if tune else path)
    return CorpusPiece(path.relative_to(folder).as_posix(), tune, group, genre.beat)


def _variants_united(folder: Path, pieces: list[CorpusPiece]) -> list[CorpusPiece]:
    sopranos = [leaps(musicxml(folder / piece.path)) for piece in pieces]
    groups = united([piece.group for piece in pieces], links_of_variants(sopranos))
    return [replace(piece, group=group) for piece, group in zip(pieces, groups, strict=True)]


def _chorale(path: Path) -> str:
    """Return the tune of a piece of four parts; empty if it has another number of parts."""
    text = musicxml(path)
    return soprano(text) if count_parts(text) == _CHORALE_PARTS else ""


def _mass(path: Path) -> str:
    """Return the mass that a movement belongs to, from the reference record `!!!OPR` (Humdrum)."""
    with path.open(encoding="latin-1") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("!!!OPR")), path.stem)


def _madrigal(path: Path) -> str:
    return "" if path.stem.endswith("_old") else path.stem


def _trecento(path: Path) -> str:
    """Return the title of a piece: there are versions of one piece, and pieces in two volumes of the edition."""
    title = _NUMBERED.sub("", path.stem)
    words = re.findall(r"[^\W\d_]{2,}", title.lower())
    return "" if path.stem.endswith("_bak") else " ".join(words)


def _quartet(path: Path) -> str:
    """Return the quartet of a file, which may contain all movements or only one."""
    work = path.parent if path.stem.startswith("movement") else path.with_suffix("")
    return f"{work.parent.name} {work.name}"


def _title(tune: str) -> str:
    """Return the title of a song: songs with the same title may be versions of one tune."""
    found = re.search(r"^T:(.*)$", tune, re.MULTILINE)
    return " ".join((found[1] if found else tune).lower().split())


def _essen(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"essenFolksong/{name}.abc" for name in names)


GENRES = {
    "chorales": Genre(("bach/bwv*.mxl",), _chorale, settings=True),
    "masses": Genre(("palestrina/*.krn",), _mass, beat=2),
    "madrigals": Genre(("monteverdi/madrigal.*.mxl",), _madrigal),
    "trecento": Genre(("trecento/*.xml",), _trecento),
    "quartets": Genre(tuple(f"{files}.mxl" for files in _QUARTETS), _quartet),
    "fiddle_tunes": Genre(("ryansMammoth/*.abc",), lambda path: path.stem),
    "german_songs": Genre(
        _essen(("altdeu?0", "ballad?0", "boehme?0", "dva0", "erk*", "fink0", "kinder0", "zuccal0")),
        _title,
        True,
    ),
    "chinese_songs": Genre(_essen(("han1", "han2")), _title, True),
}
"""The genres: Bach's chorales, Palestrina's masses, Monteverdi's madrigals, French and Italian music of the 14th
century, quartets of Haydn, Mozart and Beethoven, Ryan's collection of fiddle tunes, and the Essen collection's songs.
O'Neill's Irish tunes are left out: Ryan has many of them, too."""
