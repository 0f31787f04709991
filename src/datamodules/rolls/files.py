"""The files of a store of rolls: the pieces one after another, packed to bits, and an index."""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.datamodules.rolls.piece_files import PieceFiles
from src.fingerprint import write_json
from src.splitting.groups import links_by_key, united
from src.splitting.near_duplicates import links_of_near_duplicates

ARRAYS = ("sounding", "onsets")

LeftOut = list[tuple[str, str]]
"""Name and reason of each piece that was not made."""


@dataclass(frozen=True)
class RollFiles:
    """The files of a store; an `ArrayCache` checks each as a chunk.

    Args:
        folder: of the files.
    """

    folder: Path

    @property
    def files(self) -> dict[str, Path]:
        """The file of each array, and `pieces`, the index."""
        return {
            **{name: self.folder / f"{name}.npy" for name in ARRAYS},
            "pieces": self.folder / "pieces.json",
        }

    @property
    def n_chunks(self) -> int:
        """Number of files."""
        return len(self.files)

    @property
    def size(self) -> int:
        """0, since the lengths of pieces are unknown before they are made."""
        return 0

    def allocate(self) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def checksum(self, chunk: int) -> str:
        """Return the checksum of a file; empty where it is missing."""
        with contextlib.suppress(FileNotFoundError), list(self.files.values())[chunk].open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        return ""

    def write(self, pieces: PieceFiles, kept: Mapping[int, dict[str, Any]], left_out: LeftOut) -> None:
        """Write the pieces one after another, and the index.

        Pieces with a common key, and nearly identical ones, are in one group.

        Args:
            pieces: the files of the single pieces.
            kept: `PieceFiles.about` of those that were made, by number.
            left_out: name and reason of those that were not.
        """
        sketches = self._write_arrays(pieces, kept)
        about = list(kept.values())
        digests = [piece["digest"] for piece in about]
        links = [
            *links_by_key([digest] for digest in digests),
            *links_by_key(piece["keys"] for piece in about),
            *links_of_near_duplicates(digests, sketches),
        ]
        groups = united([piece["group"] for piece in about], links)
        index = [{**piece, "group": group} for piece, group in zip(about, groups, strict=True)]
        write_json(self.files["pieces"], {"pieces": index, "left_out": left_out})

    def _write_arrays(self, pieces: PieceFiles, kept: Mapping[int, dict[str, Any]]) -> list[np.ndarray]:
        """Write the rolls one after another; return the sketch of each piece."""
        sketches = []
        total = sum(about["length"] for about in kept.values())
        files: dict[str, np.memmap[Any, Any]] = {}
        start = 0
        for number, about in kept.items():
            arrays = pieces.arrays(number)
            sketches.append(arrays["sketch"])
            for name in ARRAYS:
                if name not in files:
                    shape = (total, arrays[name].shape[1])
                    files[name] = np.lib.format.open_memmap(self.files[name], "w+", np.uint8, shape)
                files[name][start : start + about["length"]] = arrays[name]
            start += about["length"]
        for file in files.values():
            file.flush()
        return sketches
