"""Small data sets of single notes, and stores of them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from src.datamodules.notes.makers import RecordedNotes
from src.datamodules.notes.mixer import MixtureOptions
from src.datamodules.notes.store import NoteStore

RATE = 8000
INSTRUMENTS = ("Flute", "Oboe", "Violin")
PITCHES = tuple(range(60, 70))
COLUMNS = (
    "Path", "Fold", "Family", "Instrument (abbr.)", "Instrument (in full)", "Technique (abbr.)",
    "Technique (in full)", "Pitch", "Pitch ID", "Dynamics", "Dynamics ID", "Instance ID",
    "String ID (if applicable)", "Needed digital retuning",
)  # fmt: skip
FORMATS = ((".wav", 8000, 1), (".wav", 44100, 2), (".flac", 16000, 1), (".mp3", 22050, 2))
"""Suffix, Hz and channels of files in turn."""


def tone(instrument: int, pitch: int, seconds: float, rate: int) -> np.ndarray:
    """A tone that decays, float32 (samples,); instruments differ in how fast their partials do."""
    time = np.arange(round(seconds * rate)) / rate
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    partials = [
        np.sin(2 * np.pi * number * frequency * time) * (0.2 + 0.25 * instrument) ** (number - 1)
        for number in range(1, 6)
    ]
    return (0.3 * np.sum(partials, axis=0) * np.exp(-time)).astype(np.float32)


def row(path: str, instrument: str, pitch: int, fold: int, dynamics: str = "mf") -> dict[str, str]:
    """A row of TinySOL's table."""
    filled = {
        "Path": path,
        "Fold": str(fold),
        "Instrument (in full)": instrument,
        "Pitch ID": str(pitch),
        "Dynamics": dynamics,
        "Needed digital retuning": "FALSE",
    }
    return dict.fromkeys(COLUMNS, "") | filled


def write_table(path: Path, rows: Sequence[Mapping[str, str]], encoding: str = "utf-8") -> None:
    """Write a table whose columns are those of its first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_notes(
    root: Path, *, pitches: Sequence[int] = PITCHES, formats: Sequence[tuple[str, int, int]] = FORMATS[:1]
) -> list[dict[str, str]]:
    """Write a data set as TinySOL is laid out, one note of each instrument and pitch; fold is pitch modulo 5."""
    rows = []
    for label, instrument in enumerate(INSTRUMENTS):
        for pitch in pitches:
            suffix, rate, channels = formats[len(rows) % len(formats)]
            path = f"Family/{instrument}/ordinario/{instrument[:2]}-ord-{pitch}{suffix}"
            file = root / "audio" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            sound = tone(label, pitch, 0.4 + 0.02 * (pitch % 7), rate)
            soundfile.write(file, np.stack([sound] * channels, axis=1), rate)
            rows.append(row(path, instrument, pitch, pitch % 5))
    write_table(root / "annotation" / "TinySOL_metadata.csv", rows)
    return rows


def noise_store(folder: Path, lengths: Sequence[int], samples: int, seed: int = 0) -> NoteStore:
    """Store notes of noise of so many samples each; their files are `<folder>/<number>.wav`."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for number, length in enumerate(lengths):
        sound = (
            random.uniform(0.1, 0.5, length) * random.choice([-1, 1], length) * (1 + number) / len(lengths)
        )
        soundfile.write(folder / f"{number}.wav", sound, RATE, subtype="PCM_16")
    paths = tuple(f"{number}.wav" for number in range(len(lengths)))
    store = NoteStore(folder / "store", len(lengths), samples, {})
    store.prepare(RecordedNotes(folder, paths, RATE, samples), 1, "noise")
    return store


def options(**changes: object) -> MixtureOptions:
    """Options of mixtures, changed."""
    usual = {
        "n_sources": (3,),
        "distinct": True,
        "samples": 400,
        "level": "recorded",
        "gain_db": (0.0, 0.0),
        "detune": 0.0,
    }
    return MixtureOptions(**(usual | changes))  # type: ignore[arg-type]
