"""Feature files of 128 mel and 12 chroma rows, `.npy` or `.npy.gz`: their names and their content."""

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from src.datamodules.sequences.rows import N_ROWS
from src.datamodules.sequences.store import Made, stored
from src.errors import UserError
from src.paths import inside, visible_files

_SUFFIXES = re.compile(r"(\.(beatsync|full|fused|npy|gz))+\Z", re.IGNORECASE)
_FILE = re.compile(r"\.npy(\.gz)?\Z", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_LARGEST = 500_000_000  # bytes of an array; three hours of 8-byte numbers
_LONGEST_HEADER = 2**14  # bytes; NumPy allows 10,000
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class FeatureFileError(ValueError):
    """A feature file cannot be used; the message continues a sentence that begins with its path: `… is empty`."""


def clip_id(name: str) -> str:
    """Return the id of the clip that a file is of: its name without folders and suffixes.

    `12.fused.full.npy.gz`, `train/12.beatsync.fused.npy` and `12` are all of the clip `12`.

    Args:
        name: of a file, with or without folders before it.
    """
    return _SUFFIXES.sub("", name.strip().replace("\\", "/").rpartition("/")[2])


def is_feature_file(name: str) -> bool:
    """Whether a name has the suffix of a feature file."""
    return _FILE.search(name) is not None


def feature_files(folder: Path) -> list[str]:
    """Return the feature files below a folder, relative to it, sorted; none if the folder is missing."""
    names = (path.as_posix() for path in visible_files(folder))
    return [name for name in names if is_feature_file(name)]


def read_features(path: Path) -> np.ndarray:
    """Read a feature file, without ever loading a pickled object in it.

    Args:
        path: of a file in NumPy's format, compressed by gzip or not.

    Returns:
        float32 (140, T), T >= 1, finite, and in the range of float16.

    Raises:
        FeatureFileError: the file is missing or damaged, or its format, type, shape or values are not these.
    """
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(_content(path)), allow_pickle=False)
    _check_values(array)
    return array.astype(np.float32)


@dataclass(frozen=True)
class FeatureFiles:
    """Makes items of feature files.

    Args:
        root: the folder that paths are relative to.
        paths: one for each item; the files need not exist.
        max_frames: number of frames kept of each.
    """

    root: Path
    paths: tuple[str, ...]
    max_frames: int

    def __call__(self, index: int) -> Made:
        """Return the features of item `index`, with no frame if the file cannot be used."""
        try:
            return stored(self._features(index), self.max_frames)
        except FeatureFileError:
            return stored(np.zeros((N_ROWS, 0), np.float32), self.max_frames)

    def problem(self, index: int) -> str:
        """Return why a file cannot be used; empty if it can."""
        try:
            self._features(index)
        except FeatureFileError as error:
            return str(error)
        return ""

    def _features(self, index: int) -> np.ndarray:
        try:
            path = inside(self.root, self.paths[index])
        except UserError as error:
            raise FeatureFileError(str(error)) from error
        return read_features(path)


def _content(path: Path) -> bytes:
    """Return an array with its header; no more is read than that says, and nothing of what cannot be used."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            return _array(cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file)
    except FileNotFoundError:
        raise FeatureFileError("does not exist") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FeatureFileError(f"is damaged: gzip says '{error}'") from error
    except OSError as error:
        raise FeatureFileError(f"cannot be read: {error.strerror}") from error


def _array(stream: BinaryIO) -> bytes:
    beginning = stream.read(_LONGEST_HEADER)
    if not beginning:
        raise FeatureFileError("is empty")
    header = io.BytesIO(beginning)
    shape, dtype = _header(header)
    _check_kind(shape, dtype)
    size = shape[0] * shape[1] * dtype.itemsize
    if size > _LARGEST:
        raise FeatureFileError(f"is of {shape[1]} frames, more than {_LARGEST / 1e6:.0f} MB")
    end = header.tell() + size
    # A byte more than the array, so that gzip reaches its checksum.
    content = beginning + stream.read(max(end + 1 - len(beginning), 1))
    if len(content) < end:
        raise FeatureFileError("is damaged: it ends too early")
    return content


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    try:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # a damaged header raises anything: it is read as a Python expression
        raise FeatureFileError("is not an array in NumPy's format") from error
    return shape, dtype


def _check_kind(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    if dtype.hasobject:
        raise FeatureFileError("holds pickled objects, which are not loaded")
    if dtype.kind not in "fiu":
        raise FeatureFileError(f"holds {dtype} instead of real numbers")
    if len(shape) != 2 or shape[0] != N_ROWS:
        raise FeatureFileError(f"has the shape {shape} instead of ({N_ROWS}, frames)")
    if shape[1] < 1:
        raise FeatureFileError("has no frame")


def _check_values(array: np.ndarray) -> None:
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise FeatureFileError(f"has {bad} NaN or infinite value(s)")
    if np.abs(array.astype(np.float64)).max() > np.finfo(np.float16).max:
        raise FeatureFileError("has values beyond ±65504, which cannot be dB")
