"""Tiny soundfonts and stems of them."""

from pathlib import Path
from typing import Any

import pytest

from src.datamodules.synthesized.synth_stems import SynthStems
from tests.audio.soundfonts.tiny_fonts import tone, write_font
from tests.datamodules.synthesized.tiny_stems import CLASSES, PROGRAMS, VARIED


@pytest.fixture(scope="module")
def fonts(tmp_path_factory) -> dict[str, Path]:
    """`full` has all classes and the piano's relatives; `part` no trumpet, but the violin's relative."""
    folder = tmp_path_factory.mktemp("fonts (ä)")
    return {
        "full": write_font(folder / "full.sf2", [*PROGRAMS, 1, 2], seed=1, moved={2: (8, 0)}),
        "part": write_font(folder / "part.sf2", [0, 40, 41, 57], seed=2),
        "val": write_font(folder / "val.sf2", PROGRAMS, seed=3),
        "test": write_font(folder / "test.sf2", PROGRAMS, seed=4),
        "kin": write_font(folder / "kin.sf2", PROGRAMS, seed=5, copied=(40, tone(4040))),  # the test font's violin
    }  # fmt: skip


@pytest.fixture
def options(fonts, tiny_options) -> dict[str, Any]:
    return {
        **tiny_options,
        "classes": CLASSES,
        "n_clips": {"val": 9, "test": 7},
        "soundfonts": [str(fonts["full"]), str(fonts["part"])],
        "val_soundfonts": [str(fonts["val"])],
        "test_soundfonts": [str(fonts["test"])],
        "leave_out": {},
        "seen": False,
        "n_stems": 14,
        "n_mixtures": 24,
        "variation": VARIED,
        "level_db": 4.0,
        "equaliser_db": 4.0,
    }


@pytest.fixture
def stems(options):
    def make(**changes: Any) -> SynthStems:
        return SynthStems(**{**options, **changes})

    return make
