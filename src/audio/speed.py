"""Sounds played faster or slower."""

import numpy as np


def speed(semitones: float) -> float:
    """Return the playback speed that transposes a sound by semitones: 2 for 12."""
    return float(2 ** (semitones / 12))


def at_speed(sound: np.ndarray, speed: float) -> np.ndarray:
    """Play a sound faster or slower, by linear interpolation.

    Args:
        sound: float32 (n,).
        speed: above 0; 1 leaves the sound as it is, 2 is an octave higher.

    Returns:
        float32, about n / speed samples.
    """
    if speed == 1 or len(sound) < 2:
        return sound
    places = np.arange(int((len(sound) - 2) / speed) + 1) * speed
    before = places.astype(np.int32)
    between = (places - before).astype(np.float32)
    played: np.ndarray = sound[before] + between * (sound[before + 1] - sound[before])
    return played
