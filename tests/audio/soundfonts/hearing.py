"""What FluidSynth plays of a soundfont, and what is heard in it."""

from pathlib import Path

import mido
import numpy as np

from src.audio.synthesis import Synthesizer

RATE = 44000
"""A period of 440 Hz has 100 samples."""


def sine(hertz: float, seconds: float = 0.1) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.round(20000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def played(
    font: Path, key: int, seconds: float, *, program: int = 0, release: float | None = None
) -> np.ndarray:
    events = [
        (0.0, mido.Message("program_change", program=program)),
        (0.0, mido.Message("note_on", note=key, velocity=127)),
    ]
    if release is not None:
        events.append((release, mido.Message("note_off", note=key)))
    return Synthesizer(font, sample_rate=RATE, effects=False).render(events, seconds)


def peak(waveform: np.ndarray) -> float:
    """The strongest frequency in Hz."""
    padded = 1 << 20
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), padded))
    return float(spectrum.argmax() * RATE / padded)


def cents(heard: float, wanted: float) -> float:
    return float(1200 * np.log2(heard / wanted))


def decibels(waveform: np.ndarray, second: float, like: np.ndarray) -> float:
    """Level in 20 ms around a time, against the level of another sound around its middle."""
    quotient = _level(waveform, round(second * RATE)) / _level(like, len(like) // 2)
    return float(20 * np.log10(max(quotient, 1e-9)))


def _level(waveform: np.ndarray, middle: int) -> float:
    around = waveform[max(middle - RATE // 100, 0) : middle + RATE // 100]
    return float(np.sqrt(np.mean(around.astype(float) ** 2)))
