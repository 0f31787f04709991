"""The scores of music21's corpus by genre, listed without parsing one; what must stay together is told by its names."""

import functools
import importlib.util
import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from src.audio.score_files import count_parts, musicxml
from src.datamodules.sequences.tunes import leaps, links_of_variants, soprano
from src.errors import UserError
from src.splitting.groups import united

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
    """A piece.

    Attributes:
        path: of its file, relative to the corpus, with `/`.
        tune: its place in a file of many tunes in ABC, from 1; 0: it is the whole file.
        group: the work, collection or tune that must not be split.
        beat: crotchets.
    """

    path: str
    tune: int
    group: str
    beat: int = 1


@dataclass(frozen=True)
class Genre:
    """Where the pieces of a genre lie.

    Args:
        patterns: of files, relative to the corpus.
        group: names what a piece belongs to, from its path, or from its text where it is one of many tunes in a file;
            empty: it is no piece of the genre.
        tunes: whether files are collections of tunes in ABC.
        settings: whether pieces are settings of tunes, whose variants must not be split either.
        beat: crotchets; 2 where the edition keeps old note values, in which the beat is a minim.
    """

    patterns: tuple[str, ...]
    group: Callable[..., str]
    tunes: bool = False
    settings: bool = False
    beat: int = 1


def corpus_folder() -> Path:
    """Find music21's corpus, without importing music21.

    Raises:
        UserError: music21 is not installed.
    """
    found = importlib.util.find_spec("music21")
    if found is None or found.origin is None:
        raise UserError("the scores are part of music21, which is not here: pip install music21")
    return Path(found.origin).parent / "corpus"


def draw_pieces(folder: Path, genre: str, most: int, seed: int) -> list[CorpusPiece]:
    """Draw pieces of a genre, whatever other genres there are.

    Args:
        folder: of the corpus.
        genre: a key of `GENRES`.
        most: how many at most.
        seed: of the draw, >= 0.

    Returns:
        The pieces in the order of the draw, which begins alike for any `most`; groups are united among those drawn.
    """
    described = GENRES[genre]
    listed = _candidates(folder, described)
    order = np.random.default_rng([seed, list(GENRES).index(genre)]).permutation(len(listed))
    pieces = (_piece(folder, described, *listed[number]) for number in order)
    drawn = list(itertools.islice((piece for piece in pieces if piece.group), most))
    return _variants_united(folder, drawn) if described.settings else drawn


@functools.lru_cache(maxsize=64)
def tunes_of(path: Path) -> list[str]:
    """Split a file of tunes in ABC: each begins with its number, `X:`."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.split(r"^(?=X:)", text, flags=re.MULTILINE)[1:]


def _candidates(folder: Path, genre: Genre) -> list[tuple[Path, int]]:
    """List files, or the tunes in them, of which some may turn out to be no piece of the genre."""
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
    """Name the tune of a piece of four parts."""
    text = musicxml(path)
    return soprano(text) if count_parts(text) == _CHORALE_PARTS else ""


def _mass(path: Path) -> str:
    """Name the mass that a movement is of, by the reference record `!!!OPR` (Humdrum)."""
    with path.open(encoding="latin-1") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("!!!OPR")), path.stem)


def _madrigal(path: Path) -> str:
    return "" if path.stem.endswith("_old") else path.stem


def _trecento(path: Path) -> str:
    """Name a piece by its title, since there are versions of one piece, and pieces in two volumes of the edition."""
    title = _NUMBERED.sub("", path.stem)
    words = re.findall(r"[^\W\d_]{2,}", title.lower())
    return "" if path.stem.endswith("_bak") else " ".join(words)


def _quartet(path: Path) -> str:
    """Name a quartet, of which some files hold all movements and others one."""
    work = path.parent if path.stem.startswith("movement") else path.with_suffix("")
    return f"{work.parent.name} {work.name}"


def _title(tune: str) -> str:
    """Name a song; those of one title may be versions of one tune."""
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
