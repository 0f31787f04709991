"""Rolls as files to listen to and to look at."""

import warnings
from pathlib import Path

import mido
import numpy as np
import soundfile
from matplotlib.figure import Figure

from src.audio.roll import Grid, to_midi
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.installed import find_soundfont
from src.audio.synthesis import Synthesizer
from src.errors import UserError
from src.messages import say

STEPS_PER_SECOND = 4
"""Assumed where the length of a step is unknown."""

NO_SOUND = "none"
"""Given instead of a soundfont: no `.wav` is written."""

_TAIL_SECONDS = 2.0  # for the last notes to die away
_PEAK = 0.9
_SILENCE = 1e-3  # reverberation without a note is noise of 1e-8
_WIDEST = 40  # inches of a picture


class RollWriter:
    """Writes rolls as `.mid`, `.wav` and `.png`; without FluidSynth or the soundfont there is no `.wav`.

    Args:
        grid: of the rolls; see `grid_or_default` where the length of a step is unknown.
        bpm: tempo of grids in beats.
        program: General MIDI program, 0..127.
        soundfont: name or path, or `NO_SOUND`.
    """

    def __init__(
        self, grid: Grid, *, bpm: float = 100, program: int = 0, soundfont: str = "TimGM6mb"
    ) -> None:
        self.grid, self.bpm, self.program = grid, bpm, program
        self._synthesizer: Synthesizer | None = None
        if soundfont == NO_SOUND:
            return
        try:
            font = find_soundfont(soundfont, prepared=False)
            check_programs(font, [program])
            self._synthesizer = Synthesizer(font)
        except UserError as error:
            say(f"no sound is written: {error}")

    def steps(self, seconds: float) -> int:
        """Convert seconds to steps."""
        beats = self.bpm / 60 if self.grid.unit == "beats" else 1.0
        return int(seconds * beats * self.grid.rate)

    def write(
        self, stem: Path, sounding: np.ndarray, onsets: np.ndarray | None, generated_from: int = 0
    ) -> None:
        """Write `<stem>.mid`, `.png` and `.wav`.

        Args:
            stem: path without suffix; its folder exists.
            sounding: bool (T, n_notes).
            onsets: bool (T, n_notes); `None`: the steps where a key starts to sound.
            generated_from: first generated step, marked by a line; 0: no line.
        """
        midi = to_midi(sounding, onsets, self.grid, bpm=self.bpm, program=self.program)
        midi.save(stem.with_name(f"{stem.name}.mid"))
        self._draw(stem.with_name(f"{stem.name}.png"), sounding, onsets, generated_from)
        if self._synthesizer is not None:
            sound = self._synthesizer.render(_timed(midi), midi.length + _TAIL_SECONDS)
            loudest = max(float(np.abs(sound).max()), _SILENCE)
            file = stem.with_name(f"{stem.name}.wav")
            soundfile.write(file, _PEAK * sound / loudest, self._synthesizer.sample_rate, subtype="PCM_16")

    def _draw(self, path: Path, sounding: np.ndarray, onsets: np.ndarray | None, mark: int) -> None:
        """Draw the keys that sound, darker where they are struck."""
        before = np.pad(sounding, ((1, 0), (0, 0)))[:-1]
        struck = sounding & (~before if onsets is None else onsets | ~before)
        grid = self.grid
        figure = Figure(figsize=(min(_WIDEST, max(9, len(sounding) / 24)), 4), layout="constrained")
        axes = figure.add_subplot()
        low, high = grid.lowest_note - 0.5, grid.lowest_note + grid.n_notes - 0.5
        extent = (0, max(len(sounding), 1) / grid.rate, low, high)
        shades = (sounding.astype(int) + struck).T if len(sounding) else np.zeros((grid.n_notes, 1))
        axes.imshow(
            shades,
            origin="lower",
            aspect="auto",
            cmap="Blues",
            vmin=0,
            vmax=2,
            extent=extent,
            interpolation="none",
        )
        if mark:
            axes.axvline(mark / grid.rate, color="tab:red", linewidth=1)
        used = np.flatnonzero(sounding.any(0))
        if len(used):
            axes.set_ylim(grid.lowest_note + used[0] - 3, grid.lowest_note + used[-1] + 3)
        axes.set(xlabel=f"time ({grid.unit})", ylabel="MIDI note", title=path.stem)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(path)


def grid_or_default(grid: Grid | None, lowest_note: int, n_notes: int) -> Grid:
    """Return the grid, or one with `STEPS_PER_SECOND` where the length of a step is unknown."""
    if grid is not None:
        return grid
    return Grid(unit="seconds", rate=STEPS_PER_SECOND, lowest_note=lowest_note, n_notes=n_notes)


def _timed(midi: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """Return the channel messages, each with its time in seconds."""
    events, seconds = [], 0.0
    for message in midi:
        seconds += message.time
        if not message.is_meta:
            events.append((seconds, message))
    return events
