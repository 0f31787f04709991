"""Rolls that are built slowly enough to be interrupted; as a script it builds them."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src import processes
from src.datamodules.rolls.piece import Piece
from src.datamodules.rolls.store import RollStore
from src.errors import UserError

N_NOTES = 12
PIECE_IDS = [str(number) for number in range(20)]


def roll(length: int, seed: int) -> np.ndarray:
    """Random keys, bool (length, 12)."""
    return np.random.default_rng(seed).random((length, N_NOTES)) < 0.3


def piece(number: int) -> Piece:
    sounding = roll(10 + number, number)
    onsets = sounding & (roll(10 + number, 1000 + number))
    return Piece(name=f"piece {number}", group=f"group {number // 2}", sounding=sounding, onsets=onsets)


@dataclass(frozen=True)
class SlowMaker:
    """Notes which process made which piece in a file."""

    diary: Path
    seconds: float = 0.0
    left_out: tuple[int, ...] = ()

    def __call__(self, piece_id: str) -> Piece:
        time.sleep(self.seconds)
        with self.diary.open("a") as file:
            file.write(f"{os.getpid()} {piece_id}\n")
        if int(piece_id) in self.left_out:
            raise UserError(f"piece {piece_id} is broken")
        return piece(int(piece_id))


def piece_ids() -> list[str]:
    return PIECE_IDS


def store(folder: Path) -> RollStore:
    return RollStore(folder, {"data": "numbers"})


if __name__ == "__main__":
    processes.HEAVY = ()  # nothing to import before a worker starts
    folder, seconds, workers = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    store(folder / "data").prepare(SlowMaker(folder / "diary", seconds), piece_ids, workers, "rolls")
