"""Clips mixed of stems on access, so that no two are alike."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from src.options import Options
from src.rules import number

DECIBELS = number(0, 40, of="a number of dB")
_KNOTS = 6  # points between which an equaliser's curve is interpolated


class Mixing(Options):
    """How stems are mixed.

    Args:
        max_instruments: a clip has 1..max_instruments instruments, drawn uniformly, each class at most once.
        level_db: standard deviation of each stem's gain, dB.
        equaliser_db: strength of each stem's random equaliser, dB. It is the sum of a smooth curve over the mel bands,
            whose standard deviation is uniform in 0..1.5 times this value, and a linear tilt, whose value at the
            highest band is normal with this standard deviation (at the lowest the same, negated).
        top_db: the floor of a clip below its maximum.
    """

    group = "data"

    max_instruments: int
    level_db: Annotated[float, DECIBELS]
    equaliser_db: Annotated[float, DECIBELS]
    top_db: float


class StemMixtures(Dataset[tuple[Tensor, Tensor]]):
    """Clips made of stems; an index is an array of clip numbers.

    Powers are added, since the sounds of different instruments are uncorrelated. Clip i depends only on seed and i (a
    counter-based generator; Salmon et al. 2011). A class is drawn first, then a soundfont that has it, then one of its
    stems, each with equal probability, so that a soundfont with fewer classes counts no less.

    Args:
        stems: (n, 1, n_mels, frames), dB relative to a power of 1.
        pools: for each class, for each soundfont that has it, the numbers of its stems, int64.
        mixing: how they are mixed.
        seed: >= 0.
    """

    def __init__(
        self, stems: np.ndarray, pools: Sequence[Sequence[np.ndarray]], mixing: Mixing, seed: int
    ) -> None:
        self._stems, self._pools, self._mixing, self._seed = stems, pools, mixing, seed

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor]:
        """Make clips.

        Args:
            indices: int64 (B,), their numbers.

        Returns:
            Log-mel spectrograms, float32 (B, 1, n_mels, frames), dB relative to each clip's maximum, and labels,
            uint8 (B, C).
        """
        mixed, labels = zip(*(self._clip(int(index)) for index in indices), strict=True)
        return torch.stack(mixed)[:, None], torch.from_numpy(np.stack(labels))

    def _clip(self, index: int) -> tuple[Tensor, np.ndarray]:
        """Return the spectrogram of a clip, float32 (n_mels, frames), and its labels, uint8 (C,)."""
        # Key and counter seed the generator: any clip can be drawn without those before it.
        rng = np.random.Generator(np.random.Philox(key=[self._seed, 1], counter=[0, 0, 0, index]))
        count = int(rng.integers(1, self._mixing.max_instruments + 1))
        # Distinct classes, and a stem of each.
        chosen = rng.permutation(len(self._pools))[:count]
        stems = np.stack([self._stems[self._draw(rng, self._pools[label]), 0] for label in chosen])
        # (count, n_mels, frames), each stem with its gain and equaliser.
        decibels = torch.from_numpy(stems.astype(np.float32)) + self._gains(rng, len(chosen), stems.shape[1])
        # dB to power, the sum over stems, and back to dB; exp2 and log2 are faster than powers of 10.
        power = torch.exp2(decibels * (np.log2(10) / 10)).sum(0)
        level = power.log2().mul_(10 / np.log2(10))
        labels = np.zeros(len(self._pools), np.uint8)
        labels[chosen] = 1
        return (level - level.max()).clamp_(min=-self._mixing.top_db), labels

    def _draw(self, rng: np.random.Generator, fonts: Sequence[np.ndarray]) -> int:
        stems = fonts[int(rng.integers(len(fonts)))]
        return int(stems[int(rng.integers(len(stems)))])

    def _gains(self, rng: np.random.Generator, count: int, n_mels: int) -> Tensor:
        """Draw the gain of each stem and band, float32 (count, n_mels, 1), dB."""
        level, tilt = rng.normal(size=(2, count, 1))
        depth = rng.uniform(0, 1.5 * self._mixing.equaliser_db, (count, 1))
        # A smooth curve of unit deviation for each stem: random knots, interpolated over the bands.
        knots = rng.normal(size=(count, _KNOTS))
        bands = np.linspace(0, _KNOTS - 1, n_mels)
        curve = np.stack([np.interp(bands, np.arange(_KNOTS), heights) for heights in knots])
        # (count, n_mels): the level of the stem, its curve, and a tilt over the bands.
        gains = self._mixing.level_db * level + depth * curve
        gains += self._mixing.equaliser_db * tilt * np.linspace(-1, 1, n_mels)
        return torch.from_numpy(gains.astype(np.float32))[:, :, None]
