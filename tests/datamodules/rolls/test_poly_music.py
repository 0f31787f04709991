import os
import pickle
import struct
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from src.datamodules.rolls.poly_files import find_file, parse_rolls, read_rolls
from src.datamodules.rolls.poly_music import PolyMusic
from src.errors import UserError

SIZES = {"train": 6, "val": 3, "test": 2}
NAMES = {"train": "traindata", "val": "validdata", "test": "testdata"}


@pytest.fixture
def rolls():
    rng = np.random.default_rng(0)
    return {split: [rng.random((12 + n, 88)) < 0.05 for n in range(count)] for split, count in SIZES.items()}


def write_mat(path, rolls, dtype=np.uint8):
    cells = {}
    for split, pieces in rolls.items():
        cells[NAMES[split]] = np.empty((1, len(pieces)), object)
        for number, piece in enumerate(pieces):
            cells[NAMES[split]][0, number] = np.asarray(piece, dtype)
    scipy.io.savemat(path, cells)


def chords(rolls, number=int):
    names = {"train": "train", "val": "valid", "test": "test"}
    return {
        names[split]: [
            [tuple(number(k + 21) for k in np.flatnonzero(column)) for column in p] for p in pieces
        ]
        for split, pieces in rolls.items()
    }


def data(folder, **options):
    defaults = {
        "cache_dir": folder / "cache",
        "batch_size": 2,
        "shuffle_seed": 1,
        "root": str(folder),
        "dataset": "JSB_Chorales",
        "incomplete": True,
        "n_steps": 4,
        "crop": None,
        "onsets": False,
        "workers": "auto",
    }
    return PolyMusic(**{**defaults, **options})


def assert_equal(found, rolls):
    assert found.keys() == rolls.keys()
    for split in rolls:
        assert len(found[split]) == len(rolls[split])
        for one, other in zip(found[split], rolls[split], strict=True):
            assert one.dtype == bool
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_mat_file(tmp_path, rolls, dtype):
    write_mat(tmp_path / "a.mat", rolls, dtype)
    assert_equal(parse_rolls(tmp_path / "a.mat"), rolls)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickle(tmp_path, rolls, protocol):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(chords(rolls), protocol))
    assert_equal(parse_rolls(tmp_path / "a.pickle"), rolls)


@pytest.mark.parametrize("number", [np.int64, np.uint8, np.dtype(">i4").type])
def test_pickle_with_numbers_of_numpy(tmp_path, rolls, number):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(chords(rolls, number), 4))
    assert_equal(parse_rolls(tmp_path / "a.pickle"), rolls)


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "wrapped", [lambda evil: evil, lambda evil: {"train": [[evil]], "valid": [], "test": []}]
)
@pytest.mark.parametrize("function", [eval, print, bytearray, np.zeros])
def test_a_pickle_that_runs_code_is_refused(tmp_path, capsys, function, wrapped):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(wrapped(Evil(function, "print('harm')"))))
    with pytest.raises(UserError, match=r"a\.pickle: the pickle asks for .*only plain data are read"):
        parse_rolls(tmp_path / "a.pickle")
    assert "harm" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        {"train": [], "valid": [], "test": []},
        {"train": [[(60,)]], "valid": [[(60,)]]},
        {"train": [[(60,)]], "valid": [[(60,)]], "test": [[(20,)]]},
        {"train": [[(60,)]], "valid": [[(60,)]], "test": [[("C4",)]]},
        {"train": [[60]], "valid": [[(60,)]], "test": [[(60,)]]},
        [1, 2],
        None,
    ],
)
def test_a_pickle_of_another_shape_is_refused(tmp_path, content):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match="does not have the benchmark's layout"):
        parse_rolls(tmp_path / "a.pickle")


@pytest.mark.parametrize("piece", [np.zeros((5, 87)), np.full((5, 88), 2), np.zeros((3, 88, 2))])
def test_a_mat_file_of_another_shape_is_refused(tmp_path, rolls, piece):
    write_mat(tmp_path / "a.mat", {**rolls, "test": [piece]})
    with pytest.raises(UserError, match="does not have the benchmark's layout"):
        parse_rolls(tmp_path / "a.mat")


@pytest.mark.parametrize("name", ["a.mat", "a.pickle"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\x80\x05\x95\xff"])
def test_a_damaged_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="is not a readable"):
        parse_rolls(tmp_path / name)


def zlib_bomb(path, rolls):
    """A `.mat` file of 2 MB that holds a matrix of 0.5 GB, all zeros."""
    write_mat(path, rolls)
    chunk, n_chunks = bytes(2**24), 30
    size = len(chunk) * n_chunks
    flags, shape, name = (6, 8, 9, 0), (5, 8, 1, size), (1, 1, ord("a"), 0)
    packer = zlib.compressobj(1)
    packed = packer.compress(struct.pack("<16I", 14, size + 56, *flags, *shape, *name, 2, size))
    packed += b"".join(packer.compress(chunk) for _ in range(n_chunks)) + packer.flush()
    path.write_bytes(path.read_bytes()[:128] + struct.pack("<II", 15, len(packed)) + packed)


def memo_bomb(path, rolls):
    """A pickle of 30 bytes whose memo of 2**32 entries would take 69 GB."""
    path.write_bytes(b"\x80\x02]r\xf0\xff\xff\xff.")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize(("name", "write"), [("a.mat", zlib_bomb), ("a.pickle", memo_bomb)])
def test_a_file_that_unfolds_to_more_than_memory_is_refused(tmp_path, rolls, monkeypatch, name, write):
    monkeypatch.setattr("src.datamodules.rolls.poly_files._MOST_MEMORY", 3 * 10**8)
    write(tmp_path / name, rolls)
    with pytest.raises(UserError, match=rf"{name} unfolds to more than 0.3 GB.*github") as error:
        read_rolls(tmp_path / name)
    assert "\n" not in str(error.value)


def test_lists_that_double_are_refused_at_once(tmp_path):
    """A message that shows such a list would have 2**60 numbers."""
    doubled = [60]
    for _ in range(60):
        doubled = [doubled, doubled]
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(dict.fromkeys(("train", "valid", "test"), doubled)))
    with pytest.raises(UserError, match=r"layout \(a note is \[.*\.\.\..*\], not a MIDI number"):
        parse_rolls(tmp_path / "a.pickle")


@pytest.mark.parametrize(
    ("piece", "reason"),
    [([[60] * 3000] * 10, "a chord has more than 88 notes"), ([[60]] * 3000, "more than 2,000,000 steps")],
)
def test_references_that_unfold_to_more_than_the_benchmark_are_refused(tmp_path, piece, reason):
    content = pickle.dumps({"train": [piece] * 1000, "valid": [piece], "test": [piece]})
    assert len(content) < 20_000
    (tmp_path / "a.pickle").write_bytes(content)
    with pytest.raises(UserError, match=rf"does not have the benchmark's layout \({reason}\)"):
        parse_rolls(tmp_path / "a.pickle")


@pytest.mark.slow
def test_a_mat_file_that_crashes_its_reader_is_refused(tmp_path, rolls):
    file = tmp_path / "a.mat"
    write_mat(file, rolls)
    assert_equal(read_rolls(file), rolls)
    content = file.read_bytes()
    numbers = content.rindex(struct.pack("<II", 2, rolls["test"][-1].size))  # the last matrix, of uint8
    file.write_bytes(content[:numbers] + struct.pack("<I", 200) + content[numbers + 4 :])
    with pytest.raises(UserError, match=rf"{file} is damaged: its reader crashes; get it again: .*github"):
        read_rolls(file)


@pytest.mark.slow
def test_worker_processes_need_not_read_the_file(tmp_path, rolls):
    write_mat(tmp_path / "JSB_Chorales.mat", rolls)
    made = pickle.dumps(data(tmp_path).maker())
    (tmp_path / "JSB_Chorales.mat").unlink()
    np.testing.assert_array_equal(pickle.loads(made)("val/0002").sounding, rolls["val"][2])


def test_hidden_files_are_passed_over(tmp_path, rolls):
    (tmp_path / "._JSB_Chorales.mat").write_bytes(b"what macOS keeps of a file")
    write_mat(tmp_path / "JSB_Chorales.mat", rolls)
    assert find_file(tmp_path, "JSB_Chorales") == tmp_path / "JSB_Chorales.mat"


@pytest.mark.parametrize("name", ["JSB Chorales.mat", "JSB_Chorales.mat", "jsb-chorales.MAT"])
def test_file_is_found_whatever_its_spelling(tmp_path, rolls, name):
    write_mat(tmp_path / "x.mat", rolls)
    (tmp_path / "x.mat").rename(tmp_path / name)
    data(tmp_path).check()
    assert data(tmp_path).resolved() == {"root": str(tmp_path)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": None}, "data.root=FOLDER"),
        ({"root": "/nowhere"}, "data.root=/nowhere does not exist"),
        ({"dataset": "Nottingham"}, r"no Nottingham.mat or .pickle in it; .*github"),
        ({"dataset": "MAESTRO"}, "choose JSB_Chorales"),
    ],
)
def test_what_is_missing_is_said_before_work(tmp_path, rolls, options, message):
    write_mat(tmp_path / "JSB_Chorales.mat", rolls)
    with pytest.raises(UserError, match=message):
        data(tmp_path, **options).check()


@pytest.mark.parametrize(
    ("sizes", "missing"),
    [((229, 76, 77), ""), ((230, 77, 78), ""), ((229, 75, 1), "75 of 76 in val, 1 of 77 in test")],
)
def test_all_published_pieces_are_wanted(tmp_path, sizes, missing):
    piece = np.eye(2, 88, dtype=bool)
    pieces = {split: [piece] * size for split, size in zip(SIZES, sizes, strict=True)}
    write_mat(tmp_path / "JSB_Chorales.mat", pieces)
    data(tmp_path, incomplete=True).check()
    with (
        pytest.raises(UserError, match=f"has {missing}; .*data.incomplete=true") if missing else nullcontext()
    ):
        data(tmp_path, incomplete=False).check()


def test_published_split_is_kept(tmp_path, rolls):
    write_mat(tmp_path / "JSB_Chorales.mat", rolls)
    built = data(tmp_path)
    built.prepare_data()
    built.setup("fit")
    assert built.n_items == SIZES
    for split in SIZES:
        columns, lengths = built.arrays(split)
        assert lengths.tolist() == [len(roll) for roll in rolls[split]]  # in order of length
        np.testing.assert_array_equal(columns, np.concatenate(rolls[split]))
    assert built.classes[0] == "A0"
    assert built.classes[-1] == "C8"
    assert built.grid is None


def test_onsets_are_rises(tmp_path, rolls):
    held = np.zeros((4, 88), bool)
    held[:, 10] = [True, True, False, True]
    write_mat(tmp_path / "JSB_Chorales.mat", {**rolls, "test": [held]})
    built = data(tmp_path, onsets=True)
    built.prepare_data()
    columns, _ = built.arrays("test")
    assert columns[:, 88 + 10].tolist() == [True, False, False, True]
    assert columns[:, 88:].sum() == 2


def test_signature_is_of_the_file_not_of_its_place(tmp_path, rolls):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_mat(tmp_path / name / "JSB_Chorales.mat", rolls)
    (tmp_path / "other" / "JSB_Chorales.mat").write_bytes(
        (tmp_path / "one" / "JSB_Chorales.mat").read_bytes()
    )
    one, other = (data(tmp_path, root=str(tmp_path / name)).signature for name in ("one", "other"))
    assert one == other
    write_mat(tmp_path / "other" / "JSB_Chorales.mat", {**rolls, "test": rolls["val"]})
    assert data(tmp_path, root=str(tmp_path / "other")).signature != one


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_passed_over(tmp_path, make):
    make(tmp_path / "JSB_Chorales.mat")
    with pytest.raises(UserError, match=r"no JSB_Chorales.mat or .pickle in it"):
        data(tmp_path).check()
