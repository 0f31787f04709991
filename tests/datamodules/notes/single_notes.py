"""Options of tiny data modules of single notes."""

from pathlib import Path
from typing import Any

from src.datamodules.notes.mixtures import Mixtures
from src.datamodules.notes.tinysol import TinySOL

PLAYED = [
    {"name": "Flute", "program": 73, "low": 60, "high": 69},
    {"name": "Oboe", "program": 68, "low": 60, "high": 69},
    {"name": "Violin", "program": 40, "low": 60, "high": 69},
]
MIXING: dict[str, Any] = {
    "n_mixtures": {"train": 24, "val": 8, "test": 10},
    "n_sources": 2,
    "train_n_sources": None,
    "distinct": True,
    "level": "recorded",
    "gain_db": [0.0, 0.0],
    "detune": 0.0,
    "fresh": True,
    "leak": False,
}


def note_options(folder: Path, **changes: Any) -> dict[str, Any]:
    """Options of notes of half a second at 8 kHz, played by a soundfont unless changed."""
    usual = {
        "cache_dir": folder / "cache",
        "batch_size": 4,
        "shuffle_seed": 1,
        "workers": 1,
        "source": "soundfont",
        "root": None,
        "max_bad": 0.01,
        "incomplete": True,
        "soundfonts": ["TimGM6mb"],
        "instruments": PLAYED,
        "velocities": {"pp": 40, "ff": 110},
        "held_seconds": 0.3,
        "effects": False,
        "note_seconds": 0.5,
        "folds": "own",
        "split": {"train": [0, 1, 2], "val": [3], "test": [4]},
        "clip_seconds": 0.5,
        "features": {"sample_rate": 8000, "n_fft": 512, "hop_length": 256, "n_mels": 16},
        "seed": 1,
        "shifts": [0],
        "loaders": 0,
    }
    return usual | changes


def mixtures(folder: Path, **changes: Any) -> Mixtures:
    """A tiny data module of mixtures."""
    return Mixtures(**(note_options(folder) | MIXING | changes))


def tinysol(folder: Path, **changes: Any) -> TinySOL:
    """A tiny data module of single notes."""
    return TinySOL(**({"fill": "silence"} | note_options(folder, **changes)))


def ready(data: Any) -> Any:
    """Check, build and set up a data module, as a trial does."""
    data.check()
    data.prepare_data()
    data.setup("fit")
    return data
