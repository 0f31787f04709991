"""Tables that label clips, matched with the feature files of the clips."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.datamodules.sequences.feature_files import clip_id, is_feature_file
from src.errors import UserError

_ID = "id"


@dataclass(frozen=True, kw_only=True)
class Label:
    """A line of a table.

    Attributes:
        file: name of the file, as in the line.
        values: of the file, as text.
    """

    file: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A clip with its file and its label, or only one of the two.

    Attributes:
        clip: its id.
        path: relative to the data set's root.
        values: of its label; empty if it has none.
        problem: why the clip cannot be used; empty if it can.
    """

    clip: str
    path: str
    values: tuple[str, ...]
    problem: str = ""


def read_genres(table: Path) -> list[Label]:
    r"""Read a table of genres: a header, then `<file>\t<genre>` a line.

    Args:
        table: UTF-8, with or without a byte order mark.

    Returns:
        A label with one value for each line; an empty list if the table has names only.

    Raises:
        UserError: the table has no header, or another line is not of this form.
    """
    header, *lines = _lines(table) or [(1, _ID)]
    first = header[1].partition("\t")[0].strip()
    if is_feature_file(first) or first.isdigit():
        raise UserError(f"{table} has no header; add one, such as Id, tab, Genre")
    if header[1].strip().lower() == _ID:
        return []
    return [_genre(table, number, line) for number, line in lines]


def read_numbers(table: Path, axes: Sequence[str]) -> list[Label]:
    """Read a table of numbers: a CSV file with the column `Id` and one for each axis.

    Args:
        table: UTF-8, with or without a byte order mark.
        axes: the columns to read.

    Returns:
        A label for each line with the value of each axis, not yet checked to be a number; an empty list if the table
        has names only.

    Raises:
        UserError: a column is missing, a line has no name, or it is no line of a CSV file.
    """
    header, *lines = _lines(table) or [(1, _ID)]
    columns = [name.lower() for name in _cells(table, *header)]
    if columns == [_ID]:
        return []
    if {_ID, *axes} - set(columns):
        raise UserError(f"{table} has the columns {', '.join(columns)}; give Id,{','.join(axes)}")
    rows = [(number, dict(zip(columns, _cells(table, number, line), strict=False))) for number, line in lines]
    return [_numbers(f"{table}, line {number}", row, axes) for number, row in rows]


def problem_of_numbers(values: Sequence[str], axes: Sequence[str]) -> str:
    """Return which value of a label is not a number from 0 to 1; empty if all are.

    Args:
        values: one for each axis.
        axes: their names.
    """
    for axis, text in zip(axes, values, strict=True):
        if not _is_share(text):
            return f"has {axis} '{text}', which is not a number from 0 to 1" if text else f"has no {axis}"
    return ""


def labelled_files(
    labels: Sequence[Label], files: Sequence[str], *, folder: str, table: str
) -> list[LabelledFile]:
    """Match labels and files by the ids of their clips; those without a counterpart get a problem.

    Args:
        labels: of a table.
        files: names of the existing files, relative to `folder`.
        folder: relative to the data set's root.
        table: name of the table, for messages.

    Returns:
        The clips of the table in its order, then the files that it does not name.
    """
    existing = _by_clip(files)
    in_table: dict[str, list[Label]] = {}
    for label in labels:
        in_table.setdefault(clip_id(label.file), []).append(label)
    labelled = [
        _labelled(of_clip, existing.get(clip, []), folder, table) for clip, of_clip in in_table.items()
    ]
    unlabelled = [
        LabelledFile(clip=clip, path=f"{folder}/{name}", values=(), problem=f"has no label in {table}")
        for clip, names in existing.items()
        if clip not in in_table
        for name in names
    ]
    return labelled + unlabelled


def _labelled(labels: Sequence[Label], names: Sequence[str], folder: str, table: str) -> LabelledFile:
    problem = ""
    if len(labels) > 1:
        problem = f"occurs {len(labels)} times in {table}"
    elif not names:
        problem = f"has a label in {table}, but does not exist"
    elif len(names) > 1:
        problem = f"is of the same clip as {', '.join(names[1:])}: keep one of them"
    label, name = labels[0], names[0] if names else labels[0].file
    return LabelledFile(
        clip=clip_id(label.file), path=f"{folder}/{name}", values=label.values, problem=problem
    )


def _by_clip(files: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in files:
        found.setdefault(clip_id(name), []).append(name)
    return found


def _lines(table: Path) -> list[tuple[int, str]]:
    """Return the lines that are not empty, with their numbers from 1."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{table} is not a table in UTF-8: {error}; save it as one") from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _genre(table: Path, number: int, line: str) -> Label:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != 2 or not all(cells):
        raise UserError(
            f"{table}, line {number}: {line.strip()!r} is not a file, a tab and a genre; correct it"
        )
    return Label(file=cells[0], values=(cells[1],))


def _cells(table: Path, number: int, line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]))]
    except csv.Error as error:
        raise UserError(f"{table}, line {number}: {error}; correct it") from error


def _numbers(place: str, cells: Mapping[str, str], axes: Sequence[str]) -> Label:
    if not cells.get(_ID):
        raise UserError(f"{place}: the Id is missing; name a clip or remove the line")
    return Label(file=cells[_ID], values=tuple(cells.get(axis, "") for axis in axes))


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
