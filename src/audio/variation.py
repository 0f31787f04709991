"""Random variations of a soundfont's parameters: domain randomisation (Tobin et al. 2017) in the synthesiser."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Range:
    """How a SoundFont generator, a parameter of the synthesiser, varies.

    Args:
        number: of the generator (SoundFont 2.04, section 8.1.2).
        low, high: bounds of the uniform offset that is added to its value, in its unit.
        share: of the rendered lines in which it varies.
    """

    number: int
    low: float
    high: float
    share: float


RANGES = {
    "filter_cutoff": Range(8, -2400, 1200, 0.5),  # cents
    "filter_resonance": Range(9, 0, 60, 0.2),  # 0.1 dB
    "attack": Range(34, -1200, 2400, 0.4),  # timecents
    "decay": Range(36, -1800, 1800, 0.4),  # timecents
    "sustain": Range(37, -50, 100, 0.3),  # 0.1 dB below the peak
    "release": Range(38, -1800, 1800, 0.4),  # timecents
    "tuning": Range(52, -30, 30, 0.6),  # cents
    "vibrato": Range(6, -5, 20, 0.3),  # cents
    "reverberation": Range(16, 0, 400, 0.5),  # 0.1 %
    "chorus": Range(15, 0, 300, 0.5),  # 0.1 %
}


def random_generators(rng: np.random.Generator) -> dict[int, float]:
    """Draw offsets by generator number; generators that stay unchanged are left out."""
    return {
        each.number: float(rng.uniform(each.low, each.high))
        for each in RANGES.values()
        if rng.random() < each.share
    }
