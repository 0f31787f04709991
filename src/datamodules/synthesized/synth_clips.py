"""Clips of synthesised music: a random piece, a soundfont, the sound and its log-mel spectrogram."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src.audio.mel import LogMel
from src.audio.score import Score, ScoreOptions, random_score
from src.audio.synthesis import Synthesizer


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split: its number of clips, and the soundfonts, one of which plays each clip."""

    n_clips: int
    soundfonts: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class ClipMaker:
    """Makes clips, each from a random generator of its own; it pickles, so worker processes can use it.

    Piece i of split s comes from `np.random.default_rng([seed, s, i])`, so no clip depends on another, on the number
    of clips or on the process that makes it.

    Args:
        score: the distribution of pieces.
        features: the parameters of `LogMel`; its sample rate is the sound's.
        effects: whether the synthesiser adds reverberation and chorus.
        splits: in order; item numbers run through them one after another.
        seed: of all pieces, >= 0.
    """

    score: ScoreOptions
    features: Mapping[str, Any]
    effects: bool
    splits: tuple[Split, ...]
    seed: int

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Make item `index`.

        Returns:
            `features`, float16 (1, n_mels, frames) in dB; `targets`, uint8 (n_instruments,), 1 where it plays;
            `pieces`, the score's digest.
        """
        score, soundfont = self.piece(index)
        features = self.log_mel(self.waveform(score, soundfont))
        return {"features": features[None], "targets": self._labels(score), "pieces": score.digest()}

    def piece(self, index: int) -> tuple[Score, Path]:
        """Draw the piece of item `index`, then its soundfont, so that pieces do not depend on the soundfonts."""
        split = 0
        while index >= self.splits[split].n_clips:
            index -= self.splits[split].n_clips
            split += 1
        rng = np.random.default_rng([self.seed, split, index])
        score = random_score(rng, self.score)
        fonts = self.splits[split].soundfonts
        return score, fonts[int(rng.integers(len(fonts)))]

    def waveform(self, score: Score, soundfont: Path) -> np.ndarray:
        """Render a piece: mono float32 (samples,), about -1..1."""
        player = synthesizer(soundfont, self.mel.sample_rate, self.effects)
        return player.render(score.events(), self.score.clip_seconds)

    def log_mel(self, waveform: np.ndarray) -> np.ndarray:
        """Return the log-mel spectrogram of a sound (samples,): float16 (n_mels, frames), dB."""
        with torch.inference_mode():
            decibels: torch.Tensor = self.mel(torch.from_numpy(waveform))
            return decibels.half().numpy()

    @functools.cached_property
    def mel(self) -> LogMel:
        """The spectrogram, built when first used."""
        return LogMel(**self.features)

    def _labels(self, score: Score) -> np.ndarray:
        marks = np.zeros(len(self.score.instruments), np.uint8)
        marks[list(score.instruments)] = 1
        return marks


@functools.lru_cache(maxsize=4)
def synthesizer(soundfont: Path, sample_rate: int, effects: bool) -> Synthesizer:
    """Return a synthesiser of a soundfont; the last four stay loaded."""
    return Synthesizer(soundfont, sample_rate=sample_rate, effects=effects)
