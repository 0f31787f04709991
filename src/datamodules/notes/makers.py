"""Makers of the sound of a note: from a file, or by the synthesiser. Both pickle, so worker processes can use them."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np

from src.audio.files import CANCELS, SILENCE, WHOLE_MINUTES, read_audio
from src.audio.synthesis import Synthesizer
from src.preparation.survey import FINE, PROBLEMS, Surveyor

FULL_SCALE = 32767
"""Of the stored sounds, which have 16 bits, as recordings are published."""

Made = dict[str, np.ndarray | int]


@dataclass(frozen=True)
class RecordedNotes:
    """Reads note i from its file.

    Args:
        root: the folder that paths are relative to.
        paths: one for each note.
        sample_rate: of the sounds, Hz.
        samples: number of samples kept of each note, from its beginning.
    """

    root: Path
    paths: tuple[str, ...]
    sample_rate: int
    samples: int

    def __call__(self, index: int) -> Made:
        """Return the `sound` of a note, int16 (samples,), padded with 0, its `length`, and its `digest`.

        The length is 0 where the file cannot be used.
        """
        waveform = np.zeros(0, np.float32)
        if self._fault(index) == FINE:
            waveform = read_audio(self.root / self.paths[index], self.sample_rate)
        return stored(waveform, self.samples)

    def problem(self, index: int) -> str:
        """Return why a file cannot be used."""
        return f"{self.paths[index]} {self._fault(index) or 'is silent at the wanted sample rate'}"

    def _fault(self, index: int) -> str:
        found = Surveyor(self.root, self.paths)(index)
        too_long = int(found["frames"]) > WHOLE_MINUTES * 60 * int(found["rate"])
        problem = PROBLEMS[int(found["problem"])] or (CANCELS if found["cancels"] else FINE)
        return problem or (f"is longer than {WHOLE_MINUTES} minutes" if too_long else FINE)


@dataclass(frozen=True)
class RenderedNotes:
    """Plays note i with its soundfont.

    Args:
        notes: soundfont, General MIDI program (from 0), pitch and velocity of each.
        sample_rate: of the sounds, Hz.
        samples: length of a note's sound; one that rings longer is cut off.
        seconds: how long the key is held, s.
        effects: the synthesiser's reverberation and chorus.
    """

    notes: tuple[tuple[Path, int, int, int], ...]
    sample_rate: int
    samples: int
    seconds: float
    effects: bool

    def __call__(self, index: int) -> Made:
        """Return the `sound` of a note, int16 (samples,), padded with 0, its `length`, and its `digest`.

        The length is 0 where the soundfont plays nothing.
        """
        soundfont, program, pitch, velocity = self.notes[index]
        events = [
            (0.0, mido.Message("program_change", program=program)),
            (0.0, mido.Message("note_on", note=pitch, velocity=velocity)),
            (self.seconds, mido.Message("note_off", note=pitch)),
        ]
        synthesizer = _synthesizer(soundfont, self.sample_rate, self.effects)
        return stored(synthesizer.render(events, self.samples / self.sample_rate), self.samples)

    def problem(self, index: int) -> str:
        """Return why a note cannot be used."""
        soundfont, program, pitch, _ = self.notes[index]
        return f"{soundfont.name}: program {program} plays nothing at pitch {pitch}"


Maker = RecordedNotes | RenderedNotes


def stored(waveform: np.ndarray, samples: int) -> Made:
    """Return a sound, float32 (n,) of about -1..1, as it is stored: without silence at its ends, cut or padded."""
    loud = np.flatnonzero(np.abs(waveform) > SILENCE)
    kept = waveform[loud[0] : loud[-1] + 1][:samples] if len(loud) else waveform[:0]
    sound = np.zeros(samples, np.int16)
    sound[: len(kept)] = np.rint(kept.clip(-1, 1) * FULL_SCALE)
    return {"sound": sound, "length": len(kept), "digest": _digest(sound)}


def arrays(samples: int) -> Mapping[str, tuple[str, tuple[int, ...]]]:
    """Return type and shape of the arrays that are stored, for each note."""
    return {"sound": ("int16", (samples,)), "length": ("int64", ()), "digest": ("uint64", ())}


def _digest(sound: np.ndarray) -> int:
    return int.from_bytes(hashlib.blake2b(sound.tobytes(), digest_size=8).digest(), "little")


@functools.lru_cache(maxsize=2)
def _synthesizer(soundfont: Path, sample_rate: int, effects: bool) -> Any:
    return Synthesizer(soundfont, sample_rate=sample_rate, effects=effects)
