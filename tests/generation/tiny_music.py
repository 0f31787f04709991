"""A small data set of rolls, small networks, and options of generation."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from src.audio.roll import Grid
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.piece import Piece
from src.generation.options import Generation
from src.losses.bce import BCE
from src.models.generator import Generator
from src.models.networks.roll_base import RollNetwork

N_NOTES = 12
GRID = Grid(unit="beats", rate=4, lowest_note=60, n_notes=N_NOTES)
SPLITS = ["train"] * 8 + ["val"] * 3 + ["test"] * 4


def tune(number: int) -> Piece:
    """A piece of 10 + number steps."""
    rng = np.random.default_rng(number)
    sounding = rng.random((10 + number, N_NOTES)) < 0.3
    sounding[0, number % N_NOTES] = True
    rises = sounding & ~np.pad(sounding, ((1, 0), (0, 0)))[:-1]
    onsets = rises | (sounding & (rng.random(sounding.shape) < 0.3))
    return Piece(f"tune {number}", f"group {number}", sounding, onsets, SPLITS[number])


class TuneMaker:
    def __call__(self, source: str) -> Piece:
        return tune(int(source))


class Tunes(RollDataModule):
    """Pieces of 10 to 24 steps; those of `test` have 21 to 24."""

    name = "tunes"

    def __init__(self, folder: Path, *, grid: Grid | None = GRID, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "cache_dir": folder / "cache",
            "batch_size": 4,
            "shuffle_seed": 1,
            "workers": 1,
            "lowest_note": 60,
            "n_notes": N_NOTES,
            "seed": None,
            "split": None,
            "n_steps": 4,
            "crop": None,
            "onsets": False,
        }
        super().__init__(**{**defaults, **options})
        self.grid = grid

    def check(self) -> None:
        pass

    def maker(self) -> TuneMaker:
        return TuneMaker()

    def piece_ids(self) -> list[str]:
        return [str(number) for number in range(len(SPLITS))]

    def rolls_recipe(self) -> dict[str, Any]:
        return {}


def tunes(folder: Path, **options: Any) -> Tunes:
    data = Tunes(folder, **options)
    data.prepare_data()
    data.setup("fit")
    return data


def generation(**changes: Any) -> Generation:
    defaults: dict[str, Any] = {
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
    return Generation(**{**defaults, **changes})


class Fixed(RollNetwork):
    """Has the same probabilities for every column."""

    def __init__(self, probabilities: list[float]) -> None:
        super().__init__(len(probabilities))
        self.logits = torch.logit(torch.tensor(probabilities, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand_as(x)


class Small(RollNetwork):
    """A linear layer from one column to the next, with what makes training harder to repeat."""

    def __init__(self, n_keys: int, dropout: float = 0.0) -> None:
        super().__init__(n_keys)
        self.norm = nn.BatchNorm1d(n_keys)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(n_keys, n_keys)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(self.dropout(self.norm(x.mT).mT))
        return y


def generator(data: RollDataModule, network: RollNetwork | None = None, *, dropout: float = 0.0) -> Generator:
    torch.manual_seed(0)
    return Generator(
        network or Small(len(data.classes), dropout),
        BCE(),
        kind="rolls",
        names=data.classes,
        objective="nll",
        description={"kind": "test"},
        make_optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.05),
        scheduler={"_target_": None},
    )
