"""What music is generated with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src.audio.roll import Grid
from src.audio.roll_files import NO_SOUND
from src.audio.soundfonts.installed import find_soundfont
from src.construction import build
from src.errors import UserError

_OPTIONAL = ("bars", "top_k", "top_p", "threshold")


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How many pieces, how long, how they begin and how their columns are drawn.

    Args:
        pieces: how many, drawn side by side.
        steps: length of each, what it begins with not counted.
        bars: length in bars instead, where steps are parts of a beat.
        beats_per_bar: of the bars.
        prime: steps of a held-out piece that each begins with; 0 begins from silence.
        temperature: above 0; logits are divided by it, so that below 1 likely keys become likelier.
        top_k: only so many of the likeliest keys may sound at once; `None`: any number.
        top_p: only the likeliest keys may sound that together have this share, in 0.01..1, of all keys'
            probability (nucleus); `None`: any key.
        threshold: keys sound where their probability exceeds it, nothing is drawn, so that temperature does not
            count; `None` draws.
        bpm: tempo of the files, where steps are parts of a beat.
        program: General MIDI program of the files, 0..127.
        soundfont: name or path of what plays the `.wav` files; `none`: there are none.

    Raises:
        UserError: an option is outside its range.
    """

    pieces: int
    steps: int
    bars: int | None
    beats_per_bar: int
    prime: int
    temperature: float
    top_k: int | None
    top_p: float | None
    threshold: float | None
    bpm: float
    program: int
    soundfont: str

    def __post_init__(self) -> None:
        for name in ("pieces", "steps", "bars", "beats_per_bar", "top_k"):
            _check_count(name, getattr(self, name), 1)
        _check_count("prime", self.prime, 0)
        _check_count("program", self.program, 0, 127)
        _check_range("temperature", self.temperature, 0.01, 100)
        _check_range("top_p", self.top_p, 0.01, 1)
        _check_range("threshold", self.threshold, 0, 1)
        _check_range("bpm", self.bpm, 4, 1000)
        if not isinstance(self.soundfont, str):
            raise UserError(
                f"generation.soundfont={self.soundfont}: give a name such as TimGM6mb, or a path."
            )
        if self.threshold is not None and (self.top_k, self.top_p) != (None, None):
            raise UserError("generation.threshold answers without drawing: leave top_k and top_p out.")

    def length(self, grid: Grid | None) -> int:
        """Give the number of steps to generate.

        Raises:
            UserError: bars are asked for where steps are no parts of a beat.
        """
        if self.bars is None:
            return self.steps
        if grid is None or grid.unit != "beats":
            raise UserError(
                f"generation.bars={self.bars}: these steps are no parts of a beat; give generation.steps."
            )
        return int(self.bars * self.beats_per_bar * grid.rate)


def generation_options(options: Mapping[str, Any]) -> Generation:
    """Read what music is generated with.

    Args:
        options: the group `generation` of a configuration.

    Raises:
        UserError: an option is unknown or outside its range, or there is no such soundfont.
    """
    chosen = build(Generation, options, "generation")
    if chosen.soundfont != NO_SOUND:
        find_soundfont(chosen.soundfont)
    return chosen


def _check_count(name: str, value: int | None, least: int, most: float = math.inf) -> None:
    if value is None and name in _OPTIONAL:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        to = f" to {most}" if most < math.inf else ""
        raise UserError(f"generation.{name}={value}: choose a whole number from {least}{to}.")


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is None and name in _OPTIONAL:
        return
    if not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise UserError(f"generation.{name}={value}: choose a number from {low:g} to {high:g}.")
