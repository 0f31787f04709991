"""Folders of feature files as they are published, made by a test."""

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import get_class
from omegaconf import OmegaConf

from tests.datamodules.of_yaml import CONF

GENRES = ("Rock", "Psych-Rock", "Punk", "Jazz", "Soundtrack")
"""Two of Rock, one of Metal, one of Jazz, one that is dropped."""

AXES = ("valence", "energy", "danceability")


def clip(seed: int, frames: int = 24, rows: int = 140) -> np.ndarray:
    """Make mel of -80..0 dB and chroma of 0..1 from noise, float32 (rows, frames)."""
    noise = np.random.default_rng(seed).random((rows, frames), np.float32)
    noise[:128] = -80 * noise[:128]
    return noise


def genre_clip(genre: str, seed: int, frames: int = 24) -> np.ndarray:
    """Make a clip whose class stands out: 30 dB more in the mel bands of its genre, and one pitch class."""
    number = GENRES.index(genre)
    made = clip(seed, frames)
    made[20 * number : 20 * number + 20] += 30
    made[128 + 2 * number] = 1
    return made


def mood_clip(values: Sequence[float], seed: int, frames: int = 24) -> np.ndarray:
    """Make a clip whose mel says its numbers: the mean of each third of the bands is 60 · number − 80 dB."""
    made = clip(seed, frames)
    for third, value in zip(np.split(made[:126], 3), values, strict=True):
        third += 60 * value - 80 - third.mean()
    return made


def write_array(path: Path, array: np.ndarray, *, pickled: bool = False) -> None:
    """Write `.npy`, or `.npy.gz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    content = stream.getvalue()
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


def write_table(path: Path, rows: Sequence[Sequence[str]], separator: str) -> None:
    """Write a table of labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(separator.join(row) + "\n" for row in rows), encoding="utf-8")


def genre_folder(root: Path, *, train: int = 12, test: int = 4, beat: bool = False, frames: int = 24) -> Path:
    """Write a genre set, so many clips a genre; names in the tables differ from those of the files, as published.

    Clips have `frames` to `frames + 2` frames, beat-synchronous ones a quarter of them.
    """
    place = root / ("fma_genre_spectrograms_beat" if beat else "fma_genre_spectrograms")
    said = "{}.beatsync.fused.npy.gz" if beat else "{}.full.fused.npy"
    number = 1000
    for part, count in (("train", train), ("test", test)):
        rows = [("Id", "Genre")]
        for genre in GENRES * count:
            number += 1
            length = (frames + number % 3) // (4 if beat else 1)
            suffix = ".npy.gz" if number % 2 else ".npy"
            write_array(place / part / f"{number}.fused.full{suffix}", genre_clip(genre, number, length))
            rows.append((said.format(number), genre))
        write_table(place / f"{part}_labels.txt", rows, "\t")
    return place


def mood_folder(
    root: Path, *, train: int = 40, test: int = 4, beat: bool = False, labelled_test: bool = False
) -> Path:
    """Write a mood set, whose test part has labels or, as published, none."""
    place = root / ("multitask_dataset_beat" if beat else "multitask_dataset")
    rng = np.random.default_rng(5)
    for part, count in (("train", train), ("test", test)):
        rows = [("Id", *AXES)]
        for number in range(count):
            name, values = f"{number if part == 'train' else 5000 + number}", rng.random(3).round(3)
            write_array(
                place / part / f"{name}.fused.full.npy.gz", mood_clip(values, number, 20 + number % 5)
            )
            rows.append((name, *map(str, values)))
        if part == "train" or labelled_test:
            write_table(place / f"{part}_labels.txt", rows, ",")
    return place


def built(name: str, cache_dir: Path, **changes: Any) -> Any:
    """Build `data=<name>` with the options of its YAML, some changed; one worker, small batches."""
    options = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    assert isinstance(options, dict)
    kind = get_class(options.pop("_target_"))
    return kind(
        **{**options, "workers": 1, "batch_size": 4, "shuffle_seed": 1, **changes}, cache_dir=cache_dir
    )


def mood_values(place: Path, part: str = "train") -> Mapping[str, list[float]]:
    """Read the numbers of a mood set, by id, in the order of `AXES`."""
    lines = (place / f"{part}_labels.txt").read_text().splitlines()[1:]
    return {line.split(",")[0]: [float(text) for text in line.split(",")[1:]] for line in lines}
