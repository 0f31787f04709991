"""A few pieces of each part of a data set of rolls to hear and to look at, and a list of all."""

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.figure
import mido
import numpy as np
import soundfile

from src.audio.roll import Grid, to_midi
from src.audio.soundfonts import find_soundfont
from src.audio.synthesis import Synthesizer
from src.datamodules.base import SPLITS
from src.errors import UserError

if TYPE_CHECKING:
    from src.datamodules.rolls import RollDataModule

_PIECES_EACH = 3
_MOST_SECONDS = 30.0  # of sound, and of the picture
_TAIL_SECONDS = 2.0  # for the last notes to die away
_STEPS_PER_SECOND = 4  # where a step's length is unknown
_LONGEST_NAME = 120  # characters; file systems end at 255
_BPM = 100
_SOUNDFONT = "TimGM6mb"


def write_roll_sheet(folder: Path, data: "RollDataModule") -> None:
    """Write the beginnings of pieces, spread over each part, as sound, MIDI and picture, and lists of all.

    Where there is no FluidSynth or soundfont, the sound is missing and a line says so.

    Args:
        folder: where to; it is made.
        data: set up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grid = data.grid or Grid(
        unit="seconds", rate=_STEPS_PER_SECOND, lowest_note=data.lowest_note, n_notes=data.n_notes
    )
    synthesizer = _synthesizer()
    for split in SPLITS:
        names = data.names(split)
        for number in np.unique(np.linspace(0, len(names) - 1, _PIECES_EACH, dtype=int)).tolist():
            plain = re.sub(r"[^\w.+-]", "-", names[number])[-_LONGEST_NAME:]
            _write_piece(folder / f"{split}_{plain}", *data.piece(split, number), grid, synthesizer)
    _write_table(folder / "pieces.csv", ("name", "split", "group", "length", "density"), _rows(data))
    _write_table(folder / "left_out.csv", ("name", "reason"), data.left_out())


def draw_roll(path: Path, sounding: np.ndarray, onsets: np.ndarray, grid: Grid) -> None:
    """Draw a roll, its onsets darker.

    Args:
        path: of the `.png`.
        sounding: bool (T, n_notes).
        onsets: bool (T, n_notes).
        grid: what the steps and keys are.
    """
    figure = matplotlib.figure.Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    edges = (0, len(sounding) / grid.rate, grid.lowest_note - 0.5, grid.lowest_note + grid.n_notes - 0.5)
    axes.imshow(
        (sounding + onsets.astype(int)).T,
        origin="lower",
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=2,
        extent=edges,
    )
    axes.set(xlabel=f"time ({grid.unit})", ylabel="MIDI note", title=path.stem)
    figure.savefig(path)


def _synthesizer() -> Synthesizer | None:
    try:
        return Synthesizer(find_soundfont(_SOUNDFONT))
    except UserError as error:
        print(f"the contact sheet has no sound: {error}", file=sys.stderr)
        return None


def _write_piece(
    stem: Path, sounding: np.ndarray, onsets: np.ndarray, grid: Grid, synthesizer: Synthesizer | None
) -> None:
    beats_per_second = _BPM / 60 if grid.unit == "beats" else 1.0
    steps = int(_MOST_SECONDS * beats_per_second * grid.rate)
    midi = to_midi(sounding[:steps], onsets[:steps], grid, bpm=_BPM)
    midi.save(stem.with_name(stem.name + ".mid"))
    draw_roll(stem.with_name(stem.name + ".png"), sounding[:steps], onsets[:steps], grid)
    if synthesizer is not None:
        sound = synthesizer.render(_timed(midi), midi.length + _TAIL_SECONDS)
        loudest = max(float(np.abs(sound).max()), 1e-9)
        file = stem.with_name(stem.name + ".wav")
        soundfile.write(file, 0.9 * sound / loudest, synthesizer.sample_rate, subtype="PCM_16")


def _timed(midi: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """Give the channel messages with their times in seconds."""
    events, seconds = [], 0.0
    for message in midi:
        seconds += message.time
        if not message.is_meta:
            events.append((seconds, message))
    return events


def _rows(data: "RollDataModule") -> Iterable[Sequence[object]]:
    for split in SPLITS:
        for number, (name, group) in enumerate(zip(data.names(split), data.groups(split), strict=True)):
            sounding = data.piece(split, number)[0]
            yield name, split, group, len(sounding), f"{sounding.mean():.4f}"


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
