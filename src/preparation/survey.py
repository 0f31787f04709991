"""Every file heard once before work begins: how long it is, and whether it can be used."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from src.audio.files import SILENCE
from src.audio.wholeness import is_cut_off

FINE = ""
UNREADABLE = "is no readable sound file"
DAMAGED = "cannot be decoded to its end"
CUT_OFF = "is cut off: it is shorter than its header says"
EMPTY = "is empty"
SILENT = "is silent"
NOT_FINITE = "holds samples that are no numbers"
PROBLEMS = (FINE, UNREADABLE, DAMAGED, CUT_OFF, EMPTY, SILENT, NOT_FINITE)
"""What the numbers in the array `problem` stand for."""

ARRAYS = {
    "frames": ("int64", ()),
    "rate": ("int64", ()),
    "channels": ("int64", ()),
    "problem": ("uint8", ()),
    "digest": ("uint64", ()),
}
"""Type and shape of what is kept of each file: samples a channel, Hz, channels, its problem, a hash of the sound."""

_BLOCK = 2**18  # samples a channel decoded at a time


@dataclass(frozen=True)
class Surveyor:
    """Hears files; it can be sent to another process.

    Args:
        root: the folder that paths are relative to.
        paths: of the files.
    """

    root: Path
    paths: tuple[str, ...]

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Decode file `index` in blocks and say what `ARRAYS` names."""
        path = self.root / self.paths[index]
        found: dict[str, np.ndarray | int] = dict.fromkeys(ARRAYS, 0)
        try:
            with soundfile.SoundFile(path) as file:
                found |= {"frames": file.frames, "rate": file.samplerate, "channels": file.channels}
                problem, digest, decoded = _heard(file)
                found["frames"] = decoded
        except (soundfile.SoundFileError, OSError, TypeError):
            problem, digest = DAMAGED if found["rate"] else UNREADABLE, 0
        if problem in (FINE, SILENT, EMPTY) and is_cut_off(path):
            problem = CUT_OFF
        return found | {"problem": PROBLEMS.index(problem), "digest": digest}


def _heard(file: soundfile.SoundFile) -> tuple[str, int, int]:
    """Decode a whole file; give its problem, a hash of its samples, and how many a channel there are.

    How many an MP3 has is not known before: without a Xing header libsndfile guesses too many.
    """
    digest = hashlib.blake2b(digest_size=8)
    frames, loudest = 0, 0.0
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            return NOT_FINITE, 0, file.frames
        digest.update(np.ascontiguousarray(block).tobytes())
        frames += len(block)
        loudest = max(loudest, float(np.abs(block).max()))
    if frames < file.frames and file.format != "MP3":
        return CUT_OFF, 0, frames
    if frames == 0:
        return EMPTY, 0, frames
    return (SILENT if loudest < SILENCE else FINE), int.from_bytes(digest.digest(), "little"), frames
