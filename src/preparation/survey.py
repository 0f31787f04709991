"""Decodes every sound file once: how long it is, and whether it can be used."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.audio.files import (
    MAX_AMPLITUDE,
    SILENCE,
    TOO_LONG,
    TOO_LOUD,
    TOO_MANY_CHANNELS,
    WRONG_RATE,
    cancel,
    out_of_bounds,
    peaks,
)
from src.audio.sound_file import SoundFile
from src.audio.truncation import CUT_OFF, is_truncated
from src.errors import UserError
from src.paths import inside

FINE = ""
UNREADABLE = "cannot be read as a sound file"
DAMAGED = "cannot be decoded to its end"
EMPTY = "is empty"
SILENT = "is silent"
NOT_FINITE = "contains NaN or infinite samples"
BOUNDS = (WRONG_RATE, TOO_MANY_CHANNELS, TOO_LONG, TOO_LOUD)
PROBLEMS = (FINE, UNREADABLE, DAMAGED, CUT_OFF, EMPTY, SILENT, NOT_FINITE, *BOUNDS)
"""The array `problem` holds indices of this tuple."""

ARRAYS = {
    "frames": ("int64", ()),
    "rate": ("int64", ()),
    "channels": ("int64", ()),
    "problem": ("uint8", ()),
    "cancels": ("bool", ()),
    "digest": ("uint64", ()),
}
"""Type and shape of the values for each file.

Samples per channel, Hz, channels, problem, whether the mean of the channels is silent though they are not, hash of the
samples.
"""

_BLOCK = 2**18  # samples that are decoded at a time, of all channels
_PERHAPS_CUT_OFF = (FINE, UNREADABLE, DAMAGED, EMPTY, SILENT)


@dataclass(frozen=True)
class Surveyor:
    """Decodes files and describes them; can be pickled.

    Args:
        root: the folder that paths are relative to.
        paths: of the files.
    """

    root: Path
    paths: tuple[str, ...]

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Decode file `index` in blocks and return the values named in `ARRAYS`."""
        found: dict[str, np.ndarray | int] = dict.fromkeys(ARRAYS, 0)
        try:
            path = inside(self.root, self.paths[index])
        except UserError:
            return found | {"problem": PROBLEMS.index(UNREADABLE)}
        problem = UNREADABLE if path.stat().st_size else EMPTY
        try:
            with SoundFile(path) as file:
                found |= {"rate": file.samplerate, "channels": file.channels}
                problem = DAMAGED
                problem, heard = _decoded(file)
                found |= heard
        except UserError:
            pass
        if problem in _PERHAPS_CUT_OFF and is_truncated(path, int(found["frames"])):
            problem = CUT_OFF
        return found | {"problem": PROBLEMS.index(problem)}


def _decoded(file: SoundFile) -> tuple[str, dict[str, int]]:
    """Decode a whole file and return its problem, and `frames`, `cancels` and `digest`."""
    frames, loudest, loudest_mean = 0, 0.0, 0.0
    digest = hashlib.blake2b(digest_size=8)
    problem = out_of_bounds(file.samplerate, file.channels)
    while not problem and len(block := file.read(max(1, _BLOCK // file.channels))):
        frames += len(block)
        problem = _unusable(block) or out_of_bounds(file.samplerate, file.channels, frames)
        if not problem:
            digest.update(np.ascontiguousarray(block).tobytes())
            peak, peak_of_mean = peaks(block)
            loudest, loudest_mean = max(loudest, peak), max(loudest_mean, peak_of_mean)
    if not problem and frames < (file.claimed or 0):
        problem = CUT_OFF
    if problem:
        return problem, {"frames": frames}
    heard = {
        "frames": frames,
        "cancels": int(cancel(loudest, loudest_mean)),
        "digest": int.from_bytes(digest.digest(), "little"),
    }
    return (FINE if loudest >= SILENCE else SILENT if frames else EMPTY), heard


def _unusable(block: np.ndarray) -> str:
    if not np.isfinite(block).all():
        return NOT_FINITE
    return TOO_LOUD if np.abs(block).max() > MAX_AMPLITUDE else FINE
