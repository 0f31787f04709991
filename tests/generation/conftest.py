from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from src.audio.roll import Grid
from src.datamodules.rolls import RollDataModule
from src.generation.options import Generation
from src.losses.bce import BCE
from src.models.generator import Generator
from src.models.networks.roll_base import RollNetwork
from src.rolls.piece import Piece

N_NOTES = 12
OPTIONS: dict[str, Any] = {
    "pieces": 3,
    "steps": 10,
    "bars": None,
    "beats_per_bar": 4,
    "prime": 4,
    "temperature": 1.0,
    "top_k": None,
    "top_p": None,
    "threshold": None,
    "bpm": 100,
    "program": 0,
    "soundfont": "TimGM6mb",
}


@pytest.fixture
def options() -> Callable[..., Generation]:
    """Makes options of generation, with some changed."""
    return lambda **changes: Generation(**{**OPTIONS, **changes})
