from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.notes.note import Note
from src.datamodules.notes.tinysol_table import PLACES, _number, read_table, sounds_folder
from src.errors import UserError
from tests.datamodules.notes.tiny_notes import INSTRUMENTS, PITCHES, row, write_notes, write_table

TABLE = "annotation/TinySOL_metadata.csv"


def one_line(error: pytest.ExceptionInfo[UserError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_row_becomes_a_note(tmp_path, capsys):
    write_notes(tmp_path)
    notes = read_table(tmp_path, incomplete=True)
    assert len(notes) == len(INSTRUMENTS) * len(PITCHES)
    assert [note.name for note in notes] == sorted(note.name for note in notes)
    path = "Family/Oboe/ordinario/Ob-ord-63.wav"
    expected = Note(name=path, instrument="Oboe", pitch=63, dynamics="mf", fold=3)
    assert [note for note in notes if note.name == path] == [expected]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", PLACES)
def test_the_table_is_found_in_each_of_its_places(tmp_path, place):
    write_notes(tmp_path)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / TABLE).rename(tmp_path / place)
    assert len(read_table(tmp_path, incomplete=True)) == 30


def test_sounds_may_lie_beside_the_table(tmp_path):
    rows = write_notes(tmp_path / "whole")
    (tmp_path / "whole" / "audio").rename(tmp_path / "flat")
    write_table(tmp_path / "flat" / "metadata.csv", rows)
    assert sounds_folder(tmp_path / "flat") == tmp_path / "flat"
    assert len(read_table(tmp_path / "flat", incomplete=True)) == 30


def test_earlier_versions_call_the_first_column_otherwise(tmp_path):
    rows = [
        {"Local file path" if key == "Path" else key: value for key, value in entry.items()}
        for entry in write_notes(tmp_path)
    ]
    expected = read_table(tmp_path, incomplete=True)
    write_table(tmp_path / TABLE, rows)
    assert read_table(tmp_path, incomplete=True) == expected


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path):
    rows = write_notes(tmp_path)
    expected = read_table(tmp_path, incomplete=True)
    write_table(tmp_path / TABLE, rows, encoding="utf-8-sig")
    assert (tmp_path / TABLE).read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_table(tmp_path, incomplete=True) == expected


@pytest.mark.parametrize(
    "name", ["Ü [1] é, ♯4.wav", "a b/c d.WAV", 'quote".flac', "#.mp3", "[x]*?.wav", "日本.ogg"]
)
def test_names_of_all_kinds(tmp_path, name):
    file = tmp_path / "audio" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    write_table(tmp_path / TABLE, [row(name, "Flöte (tief) [2]", 60, 0)])
    [note] = read_table(tmp_path, incomplete=True)
    assert (note.name, note.instrument) == (name, "Flöte (tief) [2]")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_a_table_may_be_in_latin_1(tmp_path, encoding):
    name = "Contrebasse à l'archet, Ré.wav"
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / name).write_bytes(b"")
    write_table(tmp_path / TABLE, [row(name, "Flûte", 60, 0)], encoding=encoding)
    [note] = read_table(tmp_path, incomplete=True)
    assert (note.name, note.instrument) == (name, "Flûte")


def test_backslashes_are_slashes(tmp_path):
    rows = write_notes(tmp_path)
    expected = read_table(tmp_path, incomplete=True)
    changed = [entry | {"Path": ".\\" + entry["Path"].replace("/", "\\")} for entry in rows]
    write_table(tmp_path / TABLE, changed)
    assert read_table(tmp_path, incomplete=True) == expected
    write_table(tmp_path / TABLE, [rows[0] | {"Path": "..\\outside.wav"}])
    with pytest.raises(UserError, match="not a path below"):
        read_table(tmp_path, incomplete=True)


def test_hidden_files_are_passed_over(tmp_path, capsys):
    write_notes(tmp_path)
    for name in ("._a.wav", ".Trash/b.wav"):
        (tmp_path / "audio" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "audio" / name).write_bytes(b"")
    assert len(read_table(tmp_path, incomplete=True)) == 30
    assert capsys.readouterr().err == ""


def test_missing_notes_of_tinysol_are_an_error(tmp_path):
    rows = write_notes(tmp_path)
    with pytest.raises(UserError) as error:
        read_table(tmp_path)
    assert one_line(error) == (
        f"TinySOL: {tmp_path} has 30 of 2,913 in TinySOL_metadata.csv; get the others from "
        "https://zenodo.org/records/3685367, or use what is there with data.incomplete=true"
    )
    (tmp_path / TABLE).unlink()
    write_table(tmp_path / "metadata.csv", rows)
    assert len(read_table(tmp_path)) == 30


@pytest.mark.parametrize("column", ["Path", "Fold", "Instrument (in full)", "Pitch ID", "Dynamics"])
def test_a_missing_column_is_named(tmp_path, column):
    rows = write_notes(tmp_path)
    write_table(tmp_path / TABLE, [{k: v for k, v in entry.items() if k != column} for entry in rows])
    with pytest.raises(UserError) as error:
        read_table(tmp_path, incomplete=True)
    assert f"no column {column}:" in one_line(error)


def test_an_empty_table_has_no_columns(tmp_path):
    write_notes(tmp_path)
    (tmp_path / TABLE).write_text("")
    with pytest.raises(UserError, match="no column Path and Fold and"):
        read_table(tmp_path, incomplete=True)


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("Pitch ID", "C4", "line 3: Pitch ID is 'C4'; it should be 0..127"),
        ("Pitch ID", "128", "0..127"),
        ("Pitch ID", "-1", "0..127"),
        ("Pitch ID", "", "Pitch ID is ''"),
        ("Pitch ID", "²", "Pitch ID is '²'"),
        ("Fold", "5", "line 3: Fold is '5'; it should be 0..4"),
        ("Instrument (in full)", " ", "line 3: the instrument is missing"),
        ("Path", "", "not a path below"),
        ("Path", "/etc/passwd.wav", "not a path below"),
        ("Path", "../outside.wav", "not a path below"),
        ("Path", "a/../../outside.wav", "not a path below"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(tmp_path, column, text, says):
    rows = write_notes(tmp_path)
    rows[1][column] = text
    write_table(tmp_path / TABLE, rows)
    with pytest.raises(UserError) as error:
        read_table(tmp_path, incomplete=True)
    assert says in one_line(error)


def test_a_row_that_is_too_short_is_refused(tmp_path):
    write_notes(tmp_path)
    with (tmp_path / TABLE).open("a", encoding="utf-8") as table:
        table.write("short.wav,0\n")
    with pytest.raises(UserError, match="line 32: the instrument is missing"):
        read_table(tmp_path, incomplete=True)


def test_lines_are_counted_where_cells_hold_line_ends(tmp_path):
    rows = write_notes(tmp_path)
    rows[0]["Family"] = "two\nlines"
    rows[1]["Fold"] = "x"
    write_table(tmp_path / TABLE, rows)
    with pytest.raises(UserError, match="line 4: Fold is 'x'"):
        read_table(tmp_path, incomplete=True)


def test_a_file_in_two_rows_is_refused(tmp_path):
    rows = write_notes(tmp_path)
    write_table(tmp_path / TABLE, [*rows, rows[4], rows[7]])
    with pytest.raises(UserError, match=r"names 2 file\(s\) twice"):
        read_table(tmp_path, incomplete=True)


def test_rows_without_files_and_files_without_rows_are_said_in_a_line_each(tmp_path, capsys):
    rows = write_notes(tmp_path)
    missing = [rows[number]["Path"] for number in (0, 1, 2, 3)]
    for path in missing:
        (tmp_path / "audio" / path).unlink()
    for name in ("more.wav", "more.MP3", "notes.txt"):
        (tmp_path / "audio" / name).write_bytes(b"")
    notes = read_table(tmp_path, incomplete=True)
    assert {note.name for note in notes} == {entry["Path"] for entry in rows} - set(missing)
    without_file, without_row = capsys.readouterr().err.splitlines()
    assert without_file.startswith("4 of 30 notes in TinySOL_metadata.csv have no file")
    assert without_file.endswith(f"{', '.join(sorted(missing)[:3])}, …")
    assert without_row.startswith("2 of 28 sound files have no row")
    assert without_row.endswith("more.MP3, more.wav")


def test_a_table_without_sounds_is_refused(tmp_path):
    write_table(tmp_path / TABLE, [row("a.wav", "Flute", 60, 0)])
    with pytest.raises(UserError, match="unpack the sounds"):
        read_table(tmp_path, incomplete=True)


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no table of the notes: .*TinySOL_metadata\.csv"):
        read_table(tmp_path, incomplete=True)


@given(st.text(max_size=6))
def test_a_number_is_what_int_reads_of_plain_digits_or_is_refused(text):
    plain = text.isascii() and text.isdigit() and int(text) < 128
    try:
        assert _number(text, "Pitch ID", range(128), str(Path("table"))) == int(text)
    except UserError:
        assert not plain


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("9" * 5000, f"Pitch ID is '{'9' * 39}…'; it should be 0..127"),
        ("9" * 200_000, "is not a CSV table: field larger than field limit (131072); get it again"),
    ],
)
def test_a_number_beyond_all_bounds_is_one_line(tmp_path, cell, says):
    rows = write_notes(tmp_path)
    rows[0]["Pitch ID"] = cell
    write_table(tmp_path / TABLE, rows)
    with pytest.raises(UserError) as error:
        read_table(tmp_path)
    assert says in one_line(error)
