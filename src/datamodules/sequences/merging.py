"""Genres that become one class, and those that are dropped."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from src.errors import UserError


def merging(merge: Mapping[str, Sequence[str]], drop: Sequence[str]) -> dict[str, str | None]:
    """Turn the options into a table: the class of each genre, `None` of those that are dropped.

    Args:
        merge: the genres of each class.
        drop: genres that are left out.

    Raises:
        UserError: an option is no such list, or a genre comes twice.
    """
    lists = {**{f"merge.{name}": genres for name, genres in merge.items()}, "drop": drop}
    for option, genres in lists.items():
        if isinstance(genres, str) or not isinstance(genres, Sequence):
            raise UserError(f"data.{option}={genres}: give a list of genres, such as [Rock, Post-Rock]")
    pairs = [(genre, name) for name, genres in merge.items() for genre in genres]
    counts = Counter([genre for genre, _ in pairs] + list(drop))
    twice = [genre for genre, count in counts.items() if count > 1]
    if twice:
        raise UserError(f"data.merge and data.drop name {twice[0]} more than once; keep it in one place")
    return {**dict(pairs), **dict.fromkeys(drop)}


def check_genres(place: str, genres: Iterable[str], table: Mapping[str, str | None]) -> None:
    """Refuse a genre that is neither merged nor dropped.

    Args:
        place: where the genres come from.
        genres: as they are labelled.
        table: see `merging`.

    Raises:
        UserError: there is such a genre.
    """
    unknown = sorted(set(genres) - table.keys())
    if not unknown:
        return
    near = get_close_matches(unknown[0], table, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UserError(
        f"{place} has the genre {unknown[0]}, which data.merge and data.drop do not name: add it to a class of the "
        f"one, or to the other.{meant}"
    )


def merged(counts: Mapping[str, int], table: Mapping[str, str | None]) -> dict[str, int]:
    """Add up the clips of each class, sorted by name.

    Args:
        counts: clips by genre.
        table: see `merging`.
    """
    found: Counter[str] = Counter()
    for genre, count in counts.items():
        name = table[genre]
        if name is not None:
            found[name] += count
    return dict(sorted(found.items()))
