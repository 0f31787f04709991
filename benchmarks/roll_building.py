"""Building rolls: files a second by this project, with all cores, beside pretty_midi, one file at a time.

    python benchmarks/roll_building.py [--files 200] [--root FOLDER] [--rate 20] [--json FILE]

Both read the files and put them on the same grid; this project also packs, checks and writes each roll. They take
turns within one run, and medians are compared: a busy machine slows both. That both find the same keys in the same
steps is counted beside it. Without --root the files are random.
"""

import argparse
import json
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pretty_midi

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.audio.notes import midi_files, read_midi
from src.audio.roll import Grid, to_roll
from src.datamodules.rolls.midi_rolls import MidiMaker
from src.datamodules.rolls.piece_files import build_rolls
from src.processes import cores

TURNS = 3
LEAST_TIMES_FASTER = 5.0
TICKS_PER_BEAT = 480
NOTES, TEMPI, PEDALS = 2400, 900, 160  # about the means of piano-midi.de
LATE_RELEASES = 0.005  # share of the notes that are struck again before they are released


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--files", type=int, default=200, help="random files, or at most so many of the folder"
    )
    parser.add_argument("--root", type=Path, help="folder of MIDI files")
    parser.add_argument("--rate", type=int, default=20, help="steps a second")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    grid = Grid(unit="seconds", rate=arguments.rate, lowest_note=0, n_notes=128)
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.root or random_files(Path(scratch) / "midi", arguments.files)
        files = midi_files(root)[: arguments.files]
        figures = compare(Path(scratch), root, files, grid)
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def compare(scratch: Path, root: Path, files: list[Path], grid: Grid) -> dict[str, float]:
    """Time both alternately with the fork server already running, as in a sweep."""
    ours(scratch / "warm", root, files, grid)
    taken = [
        (ours(scratch / str(turn), root, files, grid), by_pretty_midi(files, grid)) for turn in range(TURNS)
    ]
    built, reference = (len(files) / np.median(taken, axis=0)).tolist()
    return {
        "files": len(files),
        "cores": cores(),
        "files_a_second": built,
        "pretty_midi_files_a_second": reference,
        "times_faster": built / reference,
        "files_that_agree": sum(agrees(file, replace(grid, short_notes="drop")) for file in files),
    }


def agrees(file: Path, grid: Grid) -> bool:
    """Return whether the same keys sound in the same steps, whatever silence follows the last note."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        midi = pretty_midi.PrettyMIDI(str(file))
    theirs = midi.get_piano_roll(fs=grid.rate, pedal_threshold=None).T > 0
    sounding, _ = to_roll(read_midi(file), grid)
    return not theirs[len(sounding) :].any() and np.array_equal(sounding, theirs[: len(sounding)])


def ours(folder: Path, root: Path, files: list[Path], grid: Grid) -> float:
    """Return the seconds that the data module's builder takes."""
    names = [file.relative_to(root).as_posix() for file in files]
    started = time.perf_counter()
    build_rolls(folder, MidiMaker(root, grid, "file"), names, cores(), folder.name)
    return time.perf_counter() - started


def by_pretty_midi(files: list[Path], grid: Grid) -> float:
    """Return the seconds that pretty_midi takes."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            midi = pretty_midi.PrettyMIDI(str(file))
            np.asarray(midi.get_piano_roll(fs=grid.rate, pedal_threshold=None) > 0)
    return time.perf_counter() - started


def random_files(folder: Path, count: int) -> Path:
    """Write piano pieces with chords, notes struck again, changes of tempo and pedals."""
    folder.mkdir()
    for number in range(count):
        random_piece(np.random.default_rng(number)).save(folder / f"{number:04d}.mid")
    return folder


def random_piece(rng: np.random.Generator) -> mido.MidiFile:
    steps = TICKS_PER_BEAT // 4
    ticks = (np.sort(rng.integers(NOTES, size=NOTES)) * steps // 2).tolist()
    pedals = np.sort(rng.integers(ticks[-1], size=PEDALS)).tolist()
    events = [
        (tick, mido.Message("control_change", control=64, value=int(rng.integers(128)))) for tick in pedals
    ]
    stops: dict[int, int] = {}
    for tick in reversed(ticks):
        pitch = round(np.clip(rng.normal(62, 12), 21, 108))
        late = int(rng.random() < LATE_RELEASES)
        end = min(tick + steps * int(rng.integers(1, 9)) - 9, stops.get(pitch, 1 << 40) + 5 * late)
        if end > tick:
            events.append((tick, mido.Message("note_on", note=pitch)))
            events.append((end, mido.Message("note_off", note=pitch)))
            stops[pitch] = tick
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type)):
        track.append(message.copy(time=tick - now))
        now = tick
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.extend([tempo_track(rng, ticks[-1]), track])
    return midi


def tempo_track(rng: np.random.Generator, last_tick: int) -> mido.MidiTrack:
    gaps = np.diff(np.sort(rng.integers(last_tick, size=TEMPI)), prepend=0).tolist()
    tempi = rng.integers(400_000, 700_000, TEMPI).tolist()
    return mido.MidiTrack(
        mido.MetaMessage("set_tempo", tempo=tempo, time=gap) for gap, tempo in zip(gaps, tempi, strict=True)
    )


def report(figures: dict[str, float]) -> None:
    print(
        f"{figures['files']:.0f} files, {figures['cores']:.0f} cores: {figures['files_a_second']:.1f} files a "
        f"second; pretty_midi: {figures['pretty_midi_files_a_second']:.1f}"
    )
    met = "met" if figures["times_faster"] >= LEAST_TIMES_FASTER else "MISSED"
    print(f"  times faster: {figures['times_faster']:.2f} (>= {LEAST_TIMES_FASTER:g}: {met})")
    print(f"  the same keys in the same steps: {figures['files_that_agree']} of {figures['files']} files")


if __name__ == "__main__":
    main()
