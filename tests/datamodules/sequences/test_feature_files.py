import gzip
import io
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.sequences.feature_files import (
    FeatureFileError,
    FeatureFiles,
    clip_id,
    feature_files,
    read_features,
)
from tests.datamodules.sequences.feature_folders import clip, write_array

NAMES = [
    "12.fused.full.npy.gz",
    "12.fused.full.npy",
    "12.full.fused.npy",
    "12.beatsync.fused.npy.gz",
    "train/12.fused.full.NPY.GZ",
    "C:\\data\\12.npy",
    " 12 ",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_clip_is_what_comes_before_format_and_content(name):
    assert clip_id(name) == "12"


@given(
    st.text(st.sampled_from("ab0. -_Ü"), min_size=1).filter(lambda text: text == text.strip()),
    st.lists(st.sampled_from([".npy", ".gz", ".fused", ".full", ".beatsync"])),
    st.sampled_from(["", "train/", "a.npy/b/"]),
)
def test_any_suffixes_and_folders_leave_the_id(clip, suffixes, folder):
    assert clip_id(folder + clip + "".join(suffixes)) == clip


@pytest.mark.parametrize("name", ["a.npy", "a.npy.gz"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_file_is_read_as_numpy_wrote_it(tmp_path, name, dtype, order):
    written = np.asarray(clip(1, 9), dtype=dtype, order=order)
    write_array(tmp_path / name, written)
    found = read_features(tmp_path / name)
    assert (found.dtype, found.shape) == (np.float32, (140, 9))
    assert np.array_equal(found, written.astype(np.float32))


def test_what_a_file_holds_counts_more_than_how_it_is_named(tmp_path):
    write_array(tmp_path / "a.npy.gz", clip(1))
    (tmp_path / "a.npy.gz").rename(tmp_path / "b.npy")
    assert np.array_equal(read_features(tmp_path / "b.npy"), clip(1))


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def with_value(value):
    array = clip(1)
    array[130, 7] = value
    return npy(array)


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


WHOLE = npy(clip(1))
NPZ = io.BytesIO()
np.savez(NPZ, clip(1))
UNUSABLE = {
    "empty": (b"", "is empty"),
    "truncated": (WHOLE[:-100], "is damaged: it ends too early"),
    "truncated gz": (gzip.compress(WHOLE)[:-100], "is damaged: gzip says 'Compressed file ended"),
    "garbled gz": (gzip.compress(WHOLE)[:2000] + bytes(3000), "is damaged: gzip says"),
    "text": (b"Id\tGenre\n", "is not an array in NumPy's format"),
    "npz": (NPZ.getvalue(), "is not an array in NumPy's format"),
    "pickle": (pickle.dumps(Bomb()), "is not an array in NumPy's format"),
    "objects": (npy(np.array([Bomb()]), allow_pickle=True), "holds pickled objects, which are not loaded"),
    "words": (npy(np.full((140, 3), "a")), "holds <U1 instead of real numbers"),
    "complex": (npy(np.zeros((140, 3), complex)), "holds complex128 instead of real numbers"),
    "rows": (npy(clip(1, rows=128)), "has the shape (128, 24) instead of (140, frames)"),
    "transposed": (npy(clip(1).T), "has the shape (24, 140) instead of (140, frames)"),
    "batch": (npy(clip(1)[None]), "has the shape (1, 140, 24) instead of (140, frames)"),
    "no frame": (npy(clip(1)[:, :0]), "has no frame"),
    "nan": (with_value(np.nan), "has 1 NaN or infinite value(s)"),
    "infinite": (with_value(-np.inf), "has 1 NaN or infinite value(s)"),
    "large": (with_value(70000), "has values beyond ±65504, which cannot be dB"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_file_gives_no_frame_and_its_reason(tmp_path, kind):
    content, reason = UNUSABLE[kind]
    (tmp_path / "a.npy").write_bytes(content)
    make = FeatureFiles(tmp_path, ("a.npy",), 10)
    assert make(0)["frames"] == 0
    assert not make(0)["features"].any()
    assert make.problem(0).startswith(reason)
    with pytest.raises(FeatureFileError):
        read_features(tmp_path / "a.npy")


def with_header(text):
    """A file of NumPy's format whose header is this text."""
    return b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text.encode() + b"\n" + bytes(1000)


def promising(shape):
    return with_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (promising("(140, 800000)"), "is damaged: it ends too early"),
        (promising("(140, 9999999999999)"), "is of 9999999999999 frames, more than 500 MB"),
        (promising("(140, -3)"), "has no frame"),
        (with_header("{[]: 1}"), "is not an array in NumPy's format"),
        (with_header("{'descr': (((1,),),), 'fortran_order': False, 'shape': (140, 1)}"), "is not an array"),
        (with_header("{'descr"), "is not an array in NumPy's format"),
        (with_header("\x00('"), "is not an array in NumPy's format"),
        (with_header("-" * 9000 + "1"), "is not an array in NumPy's format"),
        (b"\x93NUMPY\x02\x00" + b"\xff" * 4 + bytes(1000), "is not an array in NumPy's format"),
    ],
)
def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path, content, reason, packed):
    (tmp_path / "a.npy").write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(FeatureFileError, match=f"^{reason}"):
        read_features(tmp_path / "a.npy")


@pytest.mark.parametrize("header", [promising("(140, 1000000)"), b"\x93NUMPY\x02\x00" + b"\xff" * 4])
def test_a_small_file_that_unfolds_to_more_than_memory_is_not_unfolded(tmp_path, header):
    with gzip.open(tmp_path / "a.npy.gz", "wb", 1) as file:
        file.write(header)
        for _ in range(64):
            file.write(bytes(2**23))
    tracemalloc.start()
    with pytest.raises(FeatureFileError):
        read_features(tmp_path / "a.npy.gz")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_a_checksum_that_disagrees_is_damage(tmp_path):
    content = gzip.compress(WHOLE)
    (tmp_path / "a.npy.gz").write_bytes(content[:-8] + bytes(4) + content[-4:])
    with pytest.raises(FeatureFileError, match="is damaged: gzip says 'CRC check failed"):
        read_features(tmp_path / "a.npy.gz")


def test_what_is_no_file_of_the_folder_is_named(tmp_path):
    make = FeatureFiles(tmp_path / "in", ("gone.npy", "folder.npy", "pipe.npy", "../a.npy"), 10)
    (tmp_path / "in" / "folder.npy").mkdir(parents=True)
    os.mkfifo(tmp_path / "in" / "pipe.npy")
    write_array(tmp_path / "a.npy", clip(1))
    assert make.problem(0) == "does not exist"
    assert make.problem(1) == make.problem(2) == "is not a regular file"
    assert make.problem(3) == "is absolute or has '..'; give a path inside the folder"
    assert [make(number)["frames"] for number in range(4)] == [0] * 4


def test_an_item_is_cut_to_the_frames_that_are_kept(tmp_path):
    write_array(tmp_path / "a.npy.gz", clip(1, 24))
    write_array(tmp_path / "b.npy", clip(2, 6))
    make = FeatureFiles(tmp_path, ("a.npy.gz", "b.npy"), 10)
    long, short = make(0), make(1)
    assert (long["frames"], short["frames"]) == (10, 6)
    assert np.array_equal(long["features"], clip(1, 24)[:, :10].astype(np.float16))
    assert not short["features"][:, 6:].any()
    assert (make.problem(0), make.problem(1)) == ("", "")
    assert pickle.loads(pickle.dumps(make)) == make


def test_only_visible_feature_files_are_listed(tmp_path):
    for name in ("2.npy", "10.fused.full.npy.gz", "sub/3.NPY", "._2.npy", "notes.txt", "a.gz", "b.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert feature_files(tmp_path) == ["10.fused.full.npy.gz", "2.npy", "sub/3.NPY"]
    assert feature_files(tmp_path / "gone") == []
