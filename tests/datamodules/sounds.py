"""Small sound files for tests."""

from pathlib import Path

import numpy as np
import soundfile


def noise(seconds: float, rate: int = 8000, channels: int = 1, seed: int = 0) -> np.ndarray:
    """White noise, float32 (samples, channels)."""
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal((round(seconds * rate), channels))).clip(-1, 1).astype(np.float32)


def tone(hertz: float, seconds: float, rate: int = 8000, channels: int = 1) -> np.ndarray:
    """A sine with a little noise, float32 (samples, channels)."""
    time = np.arange(round(seconds * rate)) / rate
    sine = 0.4 * np.sin(2 * np.pi * hertz * time)[:, None]
    return (sine + 0.02 * noise(seconds, rate, channels, int(hertz))[: len(sine)]).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = 8000, **options: str) -> Path:
    """Write a sound file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def cut_off(path: Path, share: float = 0.5) -> None:
    """Leave only the beginning of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
