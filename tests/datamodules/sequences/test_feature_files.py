import gzip
import io
import pickle

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


def test_a_header_that_promises_more_than_memory_is_refused(tmp_path):
    content = WHOLE.replace(b"(140, 24)", b"(140, 9999999999999)", 1)
    header = int.from_bytes(content[8:10], "little") + 11
    (tmp_path / "a.npy").write_bytes(content[:8] + header.to_bytes(2, "little") + content[10:])
    with pytest.raises(FeatureFileError, match="is damaged: it ends too early"):
        read_features(tmp_path / "a.npy")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    make = FeatureFiles(tmp_path, ("gone.npy", "folder.npy"), 10)
    (tmp_path / "folder.npy").mkdir()
    assert make.problem(0) == "does not exist"
    assert make.problem(1).startswith("cannot be read")


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
