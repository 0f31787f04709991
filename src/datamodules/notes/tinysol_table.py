"""The metadata table of TinySOL, and of any set of notes with a table like it.

Cella et al., 'OrchideaSOL: a dataset of extended instrumental techniques for computer-aided orchestration', 2020.
"""

import contextlib
import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from src.audio.folders import is_sound
from src.datamodules.notes.note import N_FOLDS, Note
from src.errors import UserError, one_line
from src.messages import say
from src.paths import visible_files
from src.preparation.card import Card, Part

CARD = Card(
    name="TinySOL",
    url="https://zenodo.org/records/3685367",
    size="about 1 GB",
    licence="CC BY 4.0",
    citation=(
        "C. E. Cella, D. Ghisi, V. Lostanlen, F. Lévy, J. Fineberg, Y. Maresz: OrchideaSOL: a dataset of extended "
        "instrumental techniques for computer-aided orchestration, ICMC 2020"
    ),
    layout="audio/<Family>/<Instrument>/ordinario/*.wav and annotation/TinySOL_metadata.csv",
    mirdata="tinysol",
)

PLACES = ("annotation/TinySOL_metadata.csv", "TinySOL_metadata.csv", "metadata.csv")
"""Paths of the table below the root; the first that exists is read."""

PATHS = ("Path", "Local file path")
"""The column of file names, in TinySOL's sixth version and in earlier ones."""

COLUMNS = ("Fold", "Instrument (in full)", "Pitch ID", "Dynamics")
PUBLISHED = {"TinySOL_metadata.csv": 2913}
"""Notes in TinySOL's own table; other tables are of other notes."""

_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
_NAMED = 3
_MOST_DIGITS = 4


def find_table(root: Path) -> Path:
    """Find the table below a folder.

    Raises:
        UserError: the folder has none.
    """
    for place in PLACES:
        if (root / place).is_file():
            return root / place
    raise UserError(f"{root} has no table of the notes: put it there as {' or '.join(PLACES)}")


def sounds_folder(root: Path) -> Path:
    """Return the folder that the table's paths are relative to."""
    return root / "audio" if (root / "audio").is_dir() else root


def read_table(root: Path, *, incomplete: bool = False) -> list[Note]:
    """Read the rows whose file exists, sorted by file.

    Two lines on stderr count the rows without a file and the sound files without a row.

    Args:
        root: the data set's folder.
        incomplete: whether fewer notes than TinySOL has are enough, where the table is TinySOL's own.

    Raises:
        UserError: it is no CSV table, a column is missing, a cell is invalid, a file has two rows, no row has a file,
            or notes are missing.
    """
    table = find_table(root)
    reader = csv.DictReader(io.StringIO(_text(table), newline=""))
    try:
        column = _path_column(reader.fieldnames or (), table)
        notes = [_note(row, column, f"{table}, line {reader.line_num}") for row in reader]
    except csv.Error as error:
        raise UserError(f"{table} is not a CSV table: {error}; get it again") from error
    found = _with_files(notes, table, sounds_folder(root))
    if table.name in PUBLISHED and not incomplete:
        CARD.check_complete([Part(table.name, len(found), PUBLISHED[table.name])], root)
    return found


def _text(table: Path) -> str:
    """Read a table in UTF-8, as TinySOL's is, or as Windows writes it."""
    content = table.read_bytes()
    for encoding in _ENCODINGS[:-1]:
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode(_ENCODINGS[-1])


def _path_column(columns: Iterable[str], table: Path) -> str:
    existing = set(columns)
    found = [column for column in PATHS if column in existing]
    missing = [*([] if found else PATHS[:1]), *(column for column in COLUMNS if column not in existing)]
    if missing:
        raise UserError(f"{table} has no column {' and '.join(missing)}: is it TinySOL's table?")
    return found[0]


def _note(row: Mapping[str, str | None], column: str, place: str) -> Note:
    path, fold, instrument, pitch, dynamics = (str(row[name] or "").strip() for name in (column, *COLUMNS))
    path = path.replace("\\", "/").removeprefix("./")
    if not path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise UserError(f"{place}: '{path}' is not a path below the folder of sounds")
    if not instrument:
        raise UserError(f"{place}: the instrument is missing")
    return Note(
        name=path,
        instrument=instrument,
        pitch=_number(pitch, "Pitch ID", range(128), place),
        dynamics=dynamics,
        fold=_number(fold, "Fold", range(N_FOLDS), place),
    )


def _number(text: str, column: str, allowed: range, place: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) not in allowed:
        raise UserError(
            f"{place}: {column} is '{one_line(text, 40)}'; it should be {allowed.start}..{allowed.stop - 1}"
        )
    return int(text)


def _with_files(notes: list[Note], table: Path, sounds: Path) -> list[Note]:
    rows = {note.name: note for note in notes}
    if len(rows) < len(notes):
        raise UserError(f"{table} names {len(notes) - len(rows)} file(s) twice: keep one row of each")
    files = {path.as_posix() for path in visible_files(sounds) if is_sound(path)}
    _say_unmatched(rows.keys() - files, f"of {len(rows)} notes in {table.name} have no file below {sounds}")
    _say_unmatched(files - rows.keys(), f"of {len(files)} sound files have no row in {table.name}")
    kept = [rows[path] for path in sorted(rows.keys() & files)]
    if not kept:
        raise UserError(f"no note of {table} has its file below {sounds}: unpack the sounds there")
    return kept


def _say_unmatched(names: Iterable[str], description: str) -> None:
    ordered = sorted(names)
    if ordered:
        more = ", …" if len(ordered) > _NAMED else ""
        say(f"{len(ordered)} {description} and are left out: {', '.join(ordered[:_NAMED])}{more}")
