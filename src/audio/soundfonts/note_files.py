"""Reads files of recorded notes, named by their pitch, as sounds of a soundfont."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from src.audio.compiled import import_librosa
from src.audio.files import read_audio
from src.audio.folders import is_sound
from src.audio.soundfonts.writer import Sound
from src.errors import UserError

SAMPLE_RATE = 22050
SECONDS = 4.0
_TRIM_DB = 45.0
_TRIM_FRAME = 512  # samples
_PEAK = 30000
_RELEASE_S = 0.15
_NAME = re.compile(r"([A-G])(s?)(-?\d)|(\d{1,3})")


def read_notes(folder: Path) -> list[Sound]:
    """Read a folder of notes: `A4.mp3`, `Cs5.wav` (C sharp) or, by MIDI number, `60.mp3`.

    Every key plays the nearest note, shifted to its pitch. Notes are trimmed of leading silence, cut after 4 s and
    normalised to the same peak.

    Raises:
        UserError: no file has such a name, or one can't be read.
    """
    found = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        key = _key(file)
        if key is not None:
            found[key] = _sound(file, key)
    if not found:
        raise UserError(
            f"{folder} has no notes; give files named by their pitch, such as A4.mp3, Cs5.wav or 60.ogg"
        )
    return _keyboard([found[key] for key in sorted(found)])


def _key(file: Path) -> int | None:
    match = _NAME.fullmatch(file.stem)
    if match is None or not is_sound(file):
        return None
    letter, sharp, octave, number = match.groups()
    key = int(number or import_librosa().note_to_midi(f"{letter}{'#' if sharp else ''}{octave}"))
    return key if 0 <= key <= 127 else None


def _sound(file: Path, key: int) -> Sound:
    read = read_audio(file, SAMPLE_RATE)
    waveform, _ = import_librosa().effects.trim(
        read, top_db=_TRIM_DB, frame_length=_TRIM_FRAME, hop_length=_TRIM_FRAME // 4
    )
    waveform = waveform[: round(SECONDS * SAMPLE_RATE)]
    samples = np.rint(waveform * (_PEAK / np.abs(waveform).max())).astype(np.int16)
    return Sound(
        name=file.stem,
        samples=samples,
        sample_rate=SAMPLE_RATE,
        low=key,
        high=key,
        root=key,
        envelope={"release_s": _RELEASE_S},
    )


def _keyboard(sounds: Sequence[Sound]) -> list[Sound]:
    """Assign each key to the nearest sound, of two equally near ones to the lower."""
    roots = [round(sound.root) for sound in sounds]
    highs = [(root + above) // 2 for root, above in pairwise(roots)] + [127]
    lows = [0] + [high + 1 for high in highs[:-1]]
    return [replace(sound, low=low, high=high) for sound, low, high in zip(sounds, lows, highs, strict=True)]
