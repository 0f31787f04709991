import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.label_table import check_against_files, read_labels
from src.errors import UserError

WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="|\\"), min_size=1, max_size=9
)
ROWS = st.dictionaries(WORDS.map(lambda word: f"ä, [1]/{word}.wav"), st.lists(WORDS, max_size=3), min_size=1)


def table(folder, text, encoding="utf-8"):
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


@given(rows=ROWS, mark=st.booleans())
def test_any_names_are_read_as_they_were_written(tmp_path_factory, rows, mark):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("path", "label"), *((path, "|".join(labels)) for path, labels in rows.items())])
    encoding = "utf-8-sig" if mark else "utf-8"
    read = read_labels(table(tmp_path_factory.mktemp("labels"), text.getvalue(), encoding))
    assert {item.path: list(item.labels) for item in read} == {
        path: list(dict.fromkeys(labels)) for path, labels in rows.items()
    }
    assert all((item.group, item.split) == (item.path, None) for item in read)


def test_split_and_group_are_optional(tmp_path):
    read = read_labels(
        table(
            tmp_path, "group,path,label,split\nsong,./a.wav, x | y ,train\n,b\\c.wav,x,val\n,d.wav,y,test\n"
        )
    )
    assert [(item.path, item.labels, item.group, item.split) for item in read] == [
        ("a.wav", ("x", "y"), "song", "train"),
        ("b/c.wav", ("x",), "b/c.wav", "val"),
        ("d.wav", ("y",), "d.wav", "test"),
    ]


def test_validation_comes_from_training_where_the_table_has_none(tmp_path):
    read = read_labels(table(tmp_path, "path,label,split\na.wav,x,train\nb.wav,x,test\n"))
    assert [item.split for item in read] == [None, "test"]


def test_testing_comes_from_training_where_the_table_has_none(tmp_path):
    read = read_labels(table(tmp_path, "path,label,split\na.wav,x,train\nb.wav,x,val\n"))
    assert [item.split for item in read] == [None, "val"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,instrument\na.wav,x\n", "columns path, instrument; give path,label"),
        ("path\na.wav\n", "give path,label"),
        ("", "give path,label"),
        ("path,label\n,x\n", "line 2: the path is missing"),
        ("path,label,split\na.wav,x,valid\n", "line 2: the split is valid; choose train, val, test"),
        ("path,label,split\na.wav,x,train\nb.wav,x,\n", "some files only"),
        ("path,label\na.wav,x\na.wav,y\n", r"names a\.wav more than once"),
    ],
)
def test_faults_of_the_table_are_named(tmp_path, text, says):
    with pytest.raises(UserError, match=says):
        read_labels(table(tmp_path, text))


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(UserError, match="UTF-8"):
        read_labels(table(tmp_path, "path,label\né.wav,x\n", "latin-1"))


def test_names_of_what_is_no_sound_file_are_listed_with_the_reason(tmp_path):
    path = table(tmp_path, "path,label\n/dev/zero,x\n../a.wav,x\ngone.wav,y\nnotes.txt,y\n")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError) as refused:
        check_against_files(path, read_labels(path), [], tmp_path)
    assert str(refused.value) == (
        f"{path} names files that do not exist: gone.wav and names what is no sound file in {tmp_path}: "
        "../a.wav is absolute or has '..', /dev/zero is absolute or has '..', "
        "notes.txt is hidden, or has no ending of a sound file; correct the table or the folder"
    )


def test_files_that_do_not_match_are_listed(tmp_path):
    path = table(tmp_path, "path,label\na.wav,x\nb.wav,y\n")
    read = read_labels(path)
    check_against_files(path, read, ["b.wav", "a.wav"], tmp_path)
    with pytest.raises(UserError, match=r"do not exist: a\.wav and does not name existing files: c\.wav;"):
        check_against_files(path, read, ["b.wav", "c.wav"], tmp_path)
    with pytest.raises(UserError, match=r"f09\.wav and 5 more"):
        check_against_files(path, [], [f"f{number:02d}.wav" for number in range(15)], tmp_path)


def test_a_cell_beyond_what_csv_reads_is_one_line(tmp_path):
    path = table(tmp_path, "path,label\na.wav," + "x" * 200_000)
    with pytest.raises(UserError) as error:
        read_labels(path)
    assert str(error.value) == (
        f"{path} is not a CSV table in UTF-8: field larger than field limit (131072); save it as one"
    )


@pytest.mark.parametrize(
    "text", ['path,"la\nbel"\n', 'path,label\n"a\nb",x\n"a\nb",x\n', 'path,label,split\na,x,"tr\nain"\n']
)
def test_a_message_is_one_line_whatever_a_cell_holds(tmp_path, text):
    with pytest.raises(UserError) as error:
        read_labels(table(tmp_path, text))
    assert "\n" not in str(error.value)
