"""Export of items for other programs and for people: feature files in the published format, and sounds."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from src.audio.files import plain_name
from src.audio.music_features import SAMPLE_RATE
from src.fingerprint import write_text
from src.preparation.progress import Progress
from src.splitting.recording import Recording

FOLDERS = {False: "fma_genre_spectrograms", True: "fma_genre_spectrograms_beat"}
"""Name of the folder, by whether frames are beats."""

SUFFIXES = {False: ".fused.full.npy.gz", True: ".beatsync.fused.npy.gz"}
"""Suffix of the files, by whether frames are beats."""

_HEADER = "Id\tGenre"


def write_feature_files(
    root: Path,
    items: Sequence[Recording],
    numbers: Sequence[int],
    features: Callable[[int], np.ndarray],
    *,
    beats: bool,
) -> Path:
    r"""Write items in the format of the published genre data, unless that is done already.

    `train/` and `test/` hold `<number>_<name><suffix>`, gzip of a float32 array (140, T); `train_labels.txt` and
    `test_labels.txt` have a header, then `<file>\t<genre>`. Items of `val` go to `train`, since the published data have
    only these two splits. A name has no dot, since readers take everything before the first dot for the number.

    Args:
        root: gets the folder.
        items: each with its split and one label.
        numbers: of the items, all different.
        features: returns the features of an item by its number, (140, T).
        beats: whether a frame is a beat.

    Returns:
        The folder; it is complete when its `test_labels.txt` exists.
    """
    folder = root / FOLDERS[beats]
    if (folder / "test_labels.txt").exists():
        return folder
    lines: dict[str, list[str]] = {"train": [_HEADER], "test": [_HEADER]}
    for split in lines:
        (folder / split).mkdir(parents=True, exist_ok=True)
    with Progress("feature files", len(items)) as progress:
        for item, number in zip(items, numbers, strict=True):
            split = "test" if item.split == "test" else "train"
            name = f"{number:06d}_{plain_name(Path(item.path).stem)}{SUFFIXES[beats]}"
            _write_array(folder / split / name, features(number))
            lines[split].append(f"{name}\t{' '.join(item.labels[0].split())}")
            progress.advance(1)
    for split, of_split in lines.items():
        write_text(folder / f"{split}_labels.txt", "\n".join(of_split) + "\n")
    return folder


def write_sound(stem: Path, sound: np.ndarray) -> None:
    """Write a sound, scaled to a maximum of 0.9, as `.wav`.

    Args:
        stem: path without suffix.
        sound: float (samples,) at 22,050 Hz.
    """
    peak = max(float(np.abs(sound).max(initial=0.0)), 1e-9)
    file = stem.with_name(f"{stem.name}.wav")
    soundfile.write(file, 0.9 * sound / peak, SAMPLE_RATE, subtype="PCM_16")


def _write_array(path: Path, features: np.ndarray) -> None:
    """Write an array without name and time in the gzip header, so that equal arrays make equal files."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        np.save(packed, features.astype(np.float32))
