"""Soundfonts of a second of sound for each program, no two alike unless asked for."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from src.audio.soundfonts.writer import Sound, write_soundfont

RATE = 8000


def tone(seed: int) -> np.ndarray:
    """A second of middle C, its harmonics of random strength, with some noise: int16."""
    rng = np.random.default_rng(seed)
    times = np.arange(RATE) / RATE
    phases = 2 * np.pi * (261.63 * np.arange(1, 12)[:, None] * times + rng.random((11, 1)))
    wave = (rng.random((11, 1)) ** 3 * np.sin(phases)).sum(0) + 0.05 * rng.normal(size=RATE)
    return np.round(20000 * wave / np.abs(wave).max()).astype(np.int16)


def write_font(
    path: Path,
    programs: Sequence[int],
    *,
    seed: int,
    copied: tuple[int, np.ndarray] | None = None,
    moved: dict[int, tuple[int, int]] | None = None,
) -> Path:
    """Write a soundfont.

    Args:
        path: of the file.
        programs: that it has, bank 0.
        seed: of its sounds, which no other seed below 1000 shares.
        copied: a program, and the sound that it has instead of its own.
        moved: programs that are put elsewhere: (bank, program).
    """
    sounds = {program: tone(1000 * seed + program) for program in programs} | dict([copied] if copied else [])
    write_soundfont(
        path,
        path.stem,
        {
            program: [Sound(name="a", samples=samples, sample_rate=RATE, low=0, high=127, root=60.0)]
            for program, samples in sounds.items()
        },
    )
    for program, (bank, other) in (moved or {}).items():
        header = struct.pack("<20sHH", f"program {program}".encode(), program, 0)
        content = path.read_bytes()
        assert content.count(header) == 1
        path.write_bytes(content.replace(header, header[:20] + struct.pack("<HH", other, bank)))
    return path
