"""A data set of numbers that is built slowly enough to be interrupted; as a script it builds it."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src import processes
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays

N_ITEMS = 500  # eight chunks, the last one smaller
ARRAYS = {"features": ("float16", (3, 5)), "pieces": ("uint64", ())}


@dataclass(frozen=True)
class SlowMaker:
    """Notes which process made which item in a file."""

    diary: Path
    seconds: float = 0.0
    fails_at: int = -1

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        time.sleep(self.seconds)
        if index == self.fails_at:
            raise ZeroDivisionError("item cannot be made")
        with self.diary.open("a") as file:
            file.write(f"{os.getpid()} {index}\n")
        return {"features": np.full((3, 5), index % 2000), "pieces": index * 2**50 + 1}


def cache(folder: Path) -> ArrayCache:
    return ArrayCache(ChunkedArrays(folder, N_ITEMS, ARRAYS), {"data": "numbers"})


def diary(path: Path) -> list[tuple[int, int]]:
    """Process and item of each line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(process), int(index)) for process, index in (line.split() for line in lines)]


if __name__ == "__main__":
    processes.HEAVY = ()  # nothing to import before a worker starts
    folder, seconds, workers = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print("started", flush=True)
    cache(folder / "data").prepare(Builder(SlowMaker(folder / "diary", seconds), workers, "numbers"))
