import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.sequences.label_files import (
    Label,
    labelled_files,
    problem_of_numbers,
    read_genres,
    read_numbers,
)
from src.datamodules.sequences.merging import check_genres, merged, merging
from src.errors import UserError

AXES = ("valence", "energy")


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "train_labels.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_genres_are_read_behind_the_header(table):
    text = "Id\tGenre\n12.fused.full.npy.gz\tHip-Hop\n\n 7.npy \t Old-Time \n"
    wanted = [
        Label(file="12.fused.full.npy.gz", values=("Hip-Hop",)),
        Label(file="7.npy", values=("Old-Time",)),
    ]
    assert read_genres(table(text)) == wanted
    assert read_genres(table(text.replace("\n", "\r\n"), "utf-8-sig")) == wanted


@pytest.mark.parametrize("text", ["", "Id\tGenre\n", "Id\n12\n13\n"])
def test_a_table_without_labels_gives_none(table, text):
    assert read_genres(table(text)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12.fused.full.npy.gz\tRock\n13.npy\tPop\n", r"has no header; add one"),
        ("Id\tGenre\n\n12.npy,Rock\n", r"line 3: '12.npy,Rock' is not a file, a tab and a genre; correct it"),
        ("Id\tGenre\n12.npy\t\n", r"line 2: '12.npy' is not a file"),
        ("Id\tGenre\n12.npy\tRock\t5\n", r"line 2"),
    ],
)
def test_a_wrong_table_of_genres_is_one_line(table, text, said):
    with pytest.raises(UserError, match=said) as error:
        read_genres(table(text))
    assert "\n" not in str(error.value)


def test_a_table_in_another_encoding_is_refused(table):
    with pytest.raises(UserError, match="is not a table in UTF-8"):
        read_genres(table("Id\tGenre\nü.npy\tRock\n", "latin-1"))


def test_numbers_are_taken_by_the_names_of_their_columns(table):
    text = "Id,valence,energy,danceability\n12,0.5,0.25,1\n13,,\n"
    assert read_numbers(table(text), ("danceability", "valence")) == [
        Label(file="12", values=("1", "0.5")),
        Label(file="13", values=("", "")),
    ]
    assert read_numbers(table("Danceability, ID\n.5,12\n"), ("danceability",)) == [
        Label(file="12", values=(".5",))
    ]
    assert read_numbers(table("Id\n12\n"), AXES) == []


def test_missing_columns_and_names_are_said(table):
    with pytest.raises(UserError, match=r"has the columns id, energy; give Id,valence,energy"):
        read_numbers(table("Id,energy\n1,.5\n"), AXES)
    with pytest.raises(UserError, match=r"line 3: the Id is missing"):
        read_numbers(table("Id,valence,energy\n1,.5,.5\n,.5,.5\n"), AXES)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1),
            st.floats(0, 1),
            st.floats(0, 1),
        )
    )
)
def test_what_python_writes_as_csv_is_read(tmp_path_factory, rows):
    stream = io.StringIO()
    csv.writer(stream).writerows([("Id", *AXES), *rows])
    path = tmp_path_factory.mktemp("csv") / "train_labels.txt"
    path.write_bytes(stream.getvalue().encode())
    found = read_numbers(path, AXES)
    assert [(label.file, *map(float, label.values)) for label in found] == rows
    assert not any(problem_of_numbers(label.values, AXES) for label in found)


@pytest.mark.parametrize("text", ["-0.1", "1.1", "nan", "inf", "high", "0,5"])
def test_a_value_that_is_no_number_from_0_to_1_is_a_problem(text):
    said = problem_of_numbers(("0.5", text), AXES)
    assert said == f"has energy '{text}', which is not a number from 0 to 1"


def test_the_ends_are_numbers_and_nothing_is_none():
    assert problem_of_numbers(("0", "1.0"), AXES) == ""
    assert problem_of_numbers(("0", ""), AXES) == "has no energy"


def labels(*names):
    return [Label(file=name, values=("Rock",)) for name in names]


def matched(names, files):
    found = labelled_files(labels(*names), files, folder="set/train", table="train_labels.txt")
    return {item.path: (item.clip, item.values, item.problem) for item in found}


def test_names_that_differ_in_format_and_content_are_one_clip():
    found = matched(
        ["12.full.fused.npy.gz", "7.beatsync.fused.npy"], ["12.fused.full.npy", "7.fused.full.npy.gz"]
    )
    assert found == {
        "set/train/12.fused.full.npy": ("12", ("Rock",), ""),
        "set/train/7.fused.full.npy.gz": ("7", ("Rock",), ""),
    }


def test_ids_are_compared_whole():
    assert [problem for _, _, problem in matched(["1.npy", "12.npy"], ["12.npy", "112.npy"]).values()] == [
        "has a label in train_labels.txt, but does not exist",
        "",
        "has no label in train_labels.txt",
    ]


def test_labels_and_files_that_come_alone_or_twice_are_problems():
    found = matched(["1.npy", "2.npy", "2.npy.gz", "3.npy"], ["2.npy", "3.npy", "3.npy.gz", "4.npy"])
    assert {path: problem for path, (_, _, problem) in found.items()} == {
        "set/train/1.npy": "has a label in train_labels.txt, but does not exist",
        "set/train/2.npy": "occurs 2 times in train_labels.txt",
        "set/train/3.npy": "is of the same clip as 3.npy.gz: keep one of them",
        "set/train/4.npy": "has no label in train_labels.txt",
    }
    assert found["set/train/4.npy"][:2] == ("4", ())


def test_genres_are_merged_or_dropped():
    table = merging({"Rock": ["Rock", "Post-Rock"], "Jazz": ["Jazz"], "Pop": []}, ["Old-Time"])
    assert table == {"Rock": "Rock", "Post-Rock": "Rock", "Jazz": "Jazz", "Old-Time": None}
    assert merged({"Post-Rock": 2, "Jazz": 5, "Rock": 3, "Old-Time": 9}, table) == {"Jazz": 5, "Rock": 5}


@pytest.mark.parametrize(
    ("merge", "drop", "said"),
    [
        ({"Rock": ["Rock"], "Pop": ["Rock"]}, [], "data.merge and data.drop name Rock more than once"),
        ({"Rock": ["Rock"]}, ["Rock"], "data.merge and data.drop name Rock more than once"),
        ({"Rock": "Rock"}, [], r"data.merge.Rock=Rock: give a list of genres"),
        ({"Rock": None}, [], r"data.merge.Rock=None: give a list of genres"),
        ({"Rock": ["Rock"]}, None, r"data.drop=None: give a list of genres"),
    ],
)
def test_a_merging_that_is_not_one_to_one_is_refused(merge, drop, said):
    with pytest.raises(UserError, match=said):
        merging(merge, drop)


def test_a_genre_that_is_named_nowhere_is_refused_with_its_remedy():
    table = merging({"Rock": ["Rock", "Post-Rock"]}, ["Old-Time"])
    check_genres("labels", ["Rock", "Old-Time"], table)
    said = r"^labels has the genre Post Rock, .* add it to a class .* Did you mean Post-Rock\?$"
    with pytest.raises(UserError, match=said):
        check_genres("labels", ["Rock", "Post Rock"], table)


def test_a_cell_beyond_what_csv_reads_is_one_line(table):
    path = table("Id,valence,energy\n12,0.5,0.5\n13,0.5," + "5" * 200_000)
    with pytest.raises(UserError) as error:
        read_numbers(path, AXES)
    assert str(error.value) == f"{path}, line 3: field larger than field limit (131072); correct it"
    with pytest.raises(UserError, match="line 1: field larger than field limit"):
        read_numbers(table("Id," + "a" * 200_000), AXES)
