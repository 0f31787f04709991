"""A table of labels: a CSV file with `path,label[,split][,group]`, several labels of a file joined by `|`."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from src.errors import UserError, one_line
from src.paths import inside
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS

COLUMNS = ("path", "label", "split", "group")
SEPARATOR = "|"
_NAMED = 10
_GONE = "does not exist"


def read_labels(table: Path) -> list[Recording]:
    """Read the recordings that a table names, in its order.

    A file is its own group where none is given. Where the split is given and no file is to validate, or none to test,
    those of `train` have none, so that a share of them can be taken.

    Args:
        table: UTF-8, with or without a byte order mark.

    Raises:
        UserError: a column is missing or unknown, a split is unknown or given for some files only, a line has no path,
            or a path occurs twice.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table} is not a CSV table in UTF-8: {error}; save it as one") from error
    if {"path", "label"} - set(columns) or set(columns) - set(COLUMNS):
        raise UserError(
            f"{table} has the columns {one_line(', '.join(columns))}; give path,label and, where wanted, split,group"
        )
    recordings = [_recording(table, line, row) for line, row in enumerate(rows, start=2)]
    repeated = [
        path for path, count in Counter(recording.path for recording in recordings).items() if count > 1
    ]
    if repeated:
        raise UserError(f"{table} names {_some(repeated)} more than once; keep one line of each")
    return _checked_splits(table, recordings)


def check_against_files(
    table: Path, recordings: Sequence[Recording], files: Iterable[str], root: Path
) -> None:
    """Check that a table names exactly the files that exist.

    Args:
        table: its path.
        recordings: what it names.
        files: the sound files below the root, relative to it.
        root: the folder.

    Raises:
        UserError: they differ; the message names some of both.
    """
    in_table, on_disk = {recording.path for recording in recordings}, set(files)
    without_file, without_label = sorted(in_table - on_disk), sorted(on_disk - in_table)
    problems = []
    why = {path: _unlisted(root, path) for path in without_file}
    if gone := [path for path in without_file if why[path] == _GONE]:
        problems.append(f"names files that do not exist: {_some(gone)}")
    if others := [f"{path} {why[path]}" for path in without_file if why[path] != _GONE]:
        problems.append(f"names what is no sound file in {root}: {_some(others)}")
    if without_label:
        problems.append(f"does not name existing files: {_some(without_label)}")
    if problems:
        raise UserError(f"{table} {' and '.join(problems)}; correct the table or the folder")


def _unlisted(root: Path, path: str) -> str:
    """Return why a path is not among the sound files below a root."""
    try:
        inside(root, path)
    except UserError as error:
        return str(error).partition(";")[0]
    return "is hidden, or has no ending of a sound file"


def _checked_splits(table: Path, recordings: list[Recording]) -> list[Recording]:
    splits = {recording.split for recording in recordings}
    if None in splits and len(splits) > 1:
        raise UserError(f"{table} gives a split for some files only; give it for all or for none")
    if {"val", "test"} <= splits:
        return recordings
    return [replace(item, split=None) if item.split == "train" else item for item in recordings]


def _recording(table: Path, line: int, row: dict[str, str | None]) -> Recording:
    path, label, split, group = ((row.get(column) or "").strip() for column in COLUMNS)
    if not path:
        raise UserError(f"{table}, line {line}: the path is missing; name a file or remove the line")
    if split and split not in SPLITS:
        raise UserError(
            f"{table}, line {line}: the split is {one_line(split)}; choose {', '.join(SPLITS)} or leave it empty"
        )
    names = [name.strip() for name in label.split(SEPARATOR)]
    labels = tuple(dict.fromkeys(name for name in names if name))
    path = path.replace("\\", "/").removeprefix("./")
    return Recording(path=path, labels=labels, group=group or path, split=split or None)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return one_line(", ".join(names[:_NAMED])) + more
