"""Decodes every sound file once: how long it is, and whether it can be used."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from src.audio.files import (
    MAX_AMPLITUDE,
    SILENCE,
    TOO_LONG,
    TOO_LOUD,
    TOO_MANY_CHANNELS,
    WRONG_RATE,
    out_of_bounds,
)
from src.audio.truncation import is_truncated
from src.errors import UserError
from src.paths import inside

FINE = ""
UNREADABLE = "cannot be read as a sound file"
DAMAGED = "cannot be decoded to its end"
CUT_OFF = "is cut off: it is shorter than its header says"
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
    "digest": ("uint64", ()),
}
"""Type and shape of the values for each file: samples per channel, Hz, channels, problem, hash of the samples."""

_BLOCK = 2**18  # samples that are decoded at a time, of all channels


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
        try:
            with soundfile.SoundFile(path) as file:
                found |= {"frames": file.frames, "rate": file.samplerate, "channels": file.channels}
                problem, digest, decoded = _decoded(file)
                found["frames"] = decoded
        except (soundfile.SoundFileError, OSError, TypeError):
            problem, digest = DAMAGED if found["rate"] else UNREADABLE, 0
        if problem in (FINE, SILENT, EMPTY) and is_truncated(path):
            problem = CUT_OFF
        return found | {"problem": PROBLEMS.index(problem), "digest": digest}


def _decoded(file: soundfile.SoundFile) -> tuple[str, int, int]:
    """Decode a whole file and return its problem, a hash of its samples, and the number of samples per channel.

    The length of an MP3 is not known in advance: without a Xing header libsndfile overestimates it.
    """
    if problem := out_of_bounds(file.samplerate, file.channels):
        return problem, 0, file.frames
    digest = hashlib.blake2b(digest_size=8)
    frames, loudest = 0, 0.0
    while len(block := file.read(_BLOCK // file.channels, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            return NOT_FINITE, 0, file.frames
        digest.update(np.ascontiguousarray(block).tobytes())
        frames += len(block)
        loudest = max(loudest, float(np.abs(block).max()))
        if loudest > MAX_AMPLITUDE:
            return TOO_LOUD, 0, file.frames
        if problem := out_of_bounds(file.samplerate, file.channels, frames):
            return problem, 0, frames
    if frames < file.frames and file.format != "MP3":
        return CUT_OFF, 0, frames
    if frames == 0:
        return EMPTY, 0, frames
    return (SILENT if loudest < SILENCE else FINE), int.from_bytes(digest.digest(), "little"), frames
