"""Stems: lines of one instrument, played by one soundfont, as spectrograms that can be added."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from src.audio.mel import LogMel
from src.audio.score import Score, ScoreOptions, random_score
from src.audio.variation import random_generators
from src.datamodules.synthesized.stem_voices import Voice
from src.datamodules.synthesized.synth_clips import ClipMaker, synthesizer
from src.options import Options
from src.rules import pair, share, whole

INTERVALS = (-12, -7, -5, 5, 7, 12)
"""Semitones by which a line is transposed: an octave, a fifth or a fourth, down or up."""
SILENT = 1e-3
"""A line whose amplitude stays below this is inaudible."""
STRETCHES = tuple(range(-24, 13))
"""Possible distances, in semitones, from a note to the key whose recording plays it."""
FLOOR_DB = 100.0
"""Floor of a stem below a power of 1: lower than the floor of any clip that it is mixed into."""


class Variation(Options):
    """How stems differ from what a soundfont plays by default.

    Args:
        relatives: share of the stems that another preset of the same class plays, where the font has one.
        transpose: share of the stems that lie an octave, a fifth or a fourth higher or lower.
        stretch: share of the stems that recordings of other notes play, up to two octaves lower or one octave higher,
            faster or slower, as in a soundfont with few recordings.
        generators: share of the stems whose filter, envelope, tuning, vibrato and effects are changed.
        velocity: lowest and highest MIDI velocity, 1..127, of the stems that `transpose` or `generators` change.

    Raises:
        UserError: a share is outside 0..1, or a velocity outside 1..127.
    """

    group = "data.variation"

    relatives: Annotated[float, share]
    transpose: Annotated[float, share]
    stretch: Annotated[float, share]
    generators: Annotated[float, share]
    velocity: Annotated[tuple[int, int], pair(whole(1, 127))]


@dataclass(frozen=True)
class Line:
    """A stem before it is played.

    Args:
        score: of one instrument.
        soundfont, bank: that play it; the program is in the score.
        generators: values that are changed in the synthesiser, by generator number.
        key_shift: semitones from a note to the key that plays it.
    """

    score: Score
    soundfont: Path
    bank: int
    generators: Mapping[int, float]
    key_shift: int


@dataclass(frozen=True, kw_only=True)
class StemMaker:
    """Makes stems, each from a random generator of its own; it pickles, so worker processes can use it.

    Stem i is of voice i // n_each and comes from `np.random.default_rng([seed, 3, i])`.

    Args:
        score: the distribution of lines; `instruments` are the classes.
        voices: the presets that play them.
        n_each: number of stems of each voice.
        variation: how stems differ from the default sound of a preset.
        features: the parameters of `LogMel`.
        effects: whether the synthesiser adds reverberation and chorus.
        seed: of all lines, >= 0.
    """

    score: ScoreOptions
    voices: tuple[Voice, ...]
    n_each: int
    variation: Variation
    features: Mapping[str, Any]
    effects: bool
    seed: int

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Make stem `index`.

        Returns:
            `features`, float16 (1, n_mels, frames), dB relative to a power of 1; `targets`, uint8 (n_classes,);
            `pieces`, the score's digest.
        """
        line = self.line(index)
        with torch.inference_mode():
            decibels: torch.Tensor = self.mel(torch.from_numpy(self.waveform(line)))
        targets = np.zeros(len(self.score.instruments), np.uint8)
        targets[self.voices[index // self.n_each].label] = 1
        return {"features": decibels.half().numpy()[None], "targets": targets, "pieces": line.score.digest()}

    def line(self, index: int) -> Line:
        """Draw the line of stem `index`."""
        rng = np.random.default_rng([self.seed, 3, index])
        voice, vary = self.voices[index // self.n_each], self.variation
        shares = (vary.relatives, vary.transpose, vary.stretch, vary.generators)
        relatives, transposed, stretched, changed = rng.random(len(shares)) < shares
        bank, program = voice.preset
        if relatives and voice.relatives:
            bank, program = voice.relatives[int(rng.integers(len(voice.relatives)))]
        instrument = self.score.instruments[voice.label]
        shift = int(rng.choice(INTERVALS)) if transposed else 0
        low, high = (min(max(pitch + shift, 0), 127) for pitch in (instrument.low, instrument.high))
        options = replace(
            self.score,
            instruments=(replace(instrument, program=program, low=low, high=high),),
            max_instruments=1,
            velocity=vary.velocity if transposed or changed else self.score.velocity,
        )
        generators = random_generators(rng) if changed else {}
        possible = [shift for shift in STRETCHES if low + shift >= 0 and high + shift <= 127]
        key_shift = int(rng.choice(possible)) if stretched else 0
        return Line(random_score(rng, options), voice.soundfont, bank, generators, key_shift)

    def waveform(self, line: Line) -> np.ndarray:
        """Render a line: mono float32 (samples,), about -1..1."""
        player = synthesizer(line.soundfont, self.mel.sample_rate, self.effects)
        play = functools.partial(
            player.render,
            line.score.events(),
            self.score.clip_seconds,
            bank=line.bank,
            generators=line.generators,
        )
        waveform = play(key_shift=line.key_shift)
        silent = np.abs(waveform).max() < SILENT  # the font has no recording for those keys
        return play() if silent and line.key_shift else waveform

    @functools.cached_property
    def mel(self) -> LogMel:
        """The spectrogram, built when first used."""
        return LogMel(**{**self.features, "scaling": "db", "top_db": FLOOR_DB})


@dataclass(frozen=True)
class StemsAndClips:
    """Makes the items on disk: first all stems, then the clips of validation and test."""

    stems: StemMaker
    clips: ClipMaker
    n_stems: int

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        """Make item `index`."""
        return self.stems(index) if index < self.n_stems else self.clips(index - self.n_stems)
