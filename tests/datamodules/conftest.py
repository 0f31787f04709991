from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.datamodules.synthesized.synth_instruments import SynthInstruments

CLASSES = [
    {"name": "piano", "program": 0, "low": 48, "high": 72},
    {"name": "violin", "program": 40, "low": 55, "high": 80},
    {"name": "trumpet", "program": 56, "low": 54, "high": 80},
]
FEATURES = {"sample_rate": 8000, "n_fft": 512, "hop_length": 256, "n_mels": 16, "fmin": 20.0}


@pytest.fixture
def tiny_options(tmp_path: Path) -> dict[str, Any]:
    """Clips of half a second, three classes, two chunks."""
    return {
        "cache_dir": tmp_path / "cache",
        "batch_size": 8,
        "shuffle_seed": 1,
        "classes": CLASSES,
        "pitch_range": None,
        "clip_seconds": 0.5,
        "max_instruments": 2,
        "notes_per_instrument": 2,
        "velocity": [50, 100],
        "gap": [0.0, 0.2],
        "length": [0.1, 0.3],
        "effects": True,
        "features": FEATURES,
        "n_clips": {"train": 70, "val": 9, "test": 7},
        "seed": 1,
        "soundfonts": ["TimGM6mb"],
        "test_soundfonts": None,
        "workers": 1,
    }


@pytest.fixture
def tiny(tiny_options: dict[str, Any]) -> Callable[..., SynthInstruments]:
    """Makes tiny data modules with options changed."""

    def make(**changes: Any) -> SynthInstruments:
        return SynthInstruments(**{**tiny_options, **changes})

    return make
