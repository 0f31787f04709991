"""Features of clips of sound files."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.audio.files import CANCELS, SILENCE, read_excerpt
from src.audio.music_features import HOP_LENGTH, SAMPLE_RATE, music_features
from src.audio.sound_file import SoundFile
from src.datamodules.sequences.rows import MAX_FRAMES, N_ROWS
from src.datamodules.sequences.store import Made, stored
from src.datamodules.window_features import samples_at
from src.preparation.survey import PROBLEMS, Surveyor

SILENT = "is silent in its middle, or its channels cancel each other"
_PUBLISHED_SECONDS = 30


def frames_of_clip(seconds: float, *, beat_sync: bool) -> int:
    """Return the number of frames of a clip; with `beat_sync` as many per second as are kept of published clips.

    Args:
        seconds: its length, s, > 0.
        beat_sync: whether frames are beats.
    """
    if beat_sync:
        return math.ceil(MAX_FRAMES[True] * seconds / _PUBLISHED_SECONDS)
    return 1 + round(seconds * SAMPLE_RATE) // HOP_LENGTH


@dataclass(frozen=True, kw_only=True)
class AudioClips:
    """Makes the features of the middle of file i; published clips are the middle of a track, too.

    Args:
        root: the folder that paths are relative to.
        paths: one for each item.
        seconds: length of a clip, s; a shorter file is used whole.
        beat_sync: whether a frame is a beat.
        max_frames: number of frames kept of an item, from its beginning.
    """

    root: Path
    paths: tuple[str, ...]
    seconds: float
    beat_sync: bool
    max_frames: int

    def __call__(self, index: int) -> Made:
        """Return the features of item `index`, with no frame if the file cannot be used."""
        sound, problem = self._clip(index)
        features = np.zeros((N_ROWS, 0)) if problem else music_features(sound, beat_sync=self.beat_sync)
        return stored(features, self.max_frames)

    def problem(self, index: int) -> str:
        """Return why a file cannot be used; empty if it can."""
        return self._clip(index)[1]

    def sound(self, index: int) -> np.ndarray:
        """Return the clip of a file: float32 (samples,), -1..1, at 22,050 Hz."""
        return self._clip(index)[0]

    def _clip(self, index: int) -> tuple[np.ndarray, str]:
        path = self.root / self.paths[index]
        found = Surveyor(self.root, self.paths)(index)
        problem = PROBLEMS[int(found["problem"])] or (CANCELS if found["cancels"] else "")
        if problem:
            return np.zeros(0, np.float32), problem
        samples = samples_at(int(found["frames"]), int(found["rate"]), SAMPLE_RATE)
        length = min(samples, round(self.seconds * SAMPLE_RATE))
        with SoundFile(path) as file:
            sound = read_excerpt(file, (samples - length) // 2, length, SAMPLE_RATE, 1)[0]
        return sound, SILENT if np.abs(sound).max(initial=0.0) < SILENCE else ""
