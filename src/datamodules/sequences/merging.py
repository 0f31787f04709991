"""Genres that are merged into one class, and genres that are dropped."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from src.errors import UserError


def merging(merge: Mapping[str, Sequence[str]], drop: Sequence[str]) -> dict[str, str | None]:
    """Return the class of each genre, `None` for those that are dropped.

    Args:
        merge: the genres of each class.
        drop: genres that are left out.

    Raises:
        UserError: an option is not a list of genres, or a genre occurs twice.
    """
    # By the name of the option that the message would blame, such as `merge.Rock`.
    lists = {**{f"merge.{name}": genres for name, genres in merge.items()}, "drop": drop}
    for option, genres in lists.items():
        # A single genre, without brackets, would be read as a list of its letters.
        if isinstance(genres, str) or not isinstance(genres, Sequence):
            raise UserError(f"data.{option}={genres}: give a list of genres, such as [Rock, Post-Rock]")
    pairs = [(genre, name) for name, genres in merge.items() for genre in genres]
    # Two classes, or a class and `drop`, may not claim one genre: the table would keep the last of them silently.
    counts = Counter([genre for genre, _ in pairs] + list(drop))
    repeated = [genre for genre, count in counts.items() if count > 1]
    if repeated:
        raise UserError(f"data.merge and data.drop name {repeated[0]} more than once; keep it in one place")
    return {**dict(pairs), **dict.fromkeys(drop)}


def check_genres(place: str, genres: Iterable[str], table: Mapping[str, str | None]) -> None:
    """Check that every genre is merged or dropped.

    Args:
        place: where the genres come from, such as the path of a table.
        genres: as the files are labelled.
        table: see `merging`.

    Raises:
        UserError: a genre is neither.
    """
    unknown = sorted(set(genres) - table.keys())
    if not unknown:
        return
    similar = get_close_matches(unknown[0], table, n=1)
    suggestion = f" Did you mean {similar[0]}?" if similar else ""
    raise UserError(
        f"{place} has the genre {unknown[0]}, which data.merge and data.drop do not name: add it to a class "
        f"of data.merge, or to data.drop.{suggestion}"
    )


def merged(counts: Mapping[str, int], table: Mapping[str, str | None]) -> dict[str, int]:
    """Return the number of clips of each class, sorted by name.

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
