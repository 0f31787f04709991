"""Piano rolls: which keys sound and which are struck, step by step."""

from dataclasses import dataclass
from fractions import Fraction

import mido
import numpy as np

from src.audio.notes import Notes
from src.errors import UserError

UNITS = ("beats", "seconds")
SHORT_NOTES = ("keep", "drop")
_KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAX_RATE = 100
_TICKS = 960  # at most, in a beat or a second
_LONGEST_BEAT = 16  # seconds; a tempo has 24 bits of microseconds


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The steps and keys of a roll.

    Args:
        unit: `beats` or `seconds`, which steps subdivide.
        rate: steps a beat or a second, in 1..100; whole for beats.
        lowest_note: MIDI number of the first key, in 0..127.
        n_notes: number of keys, in 1..128 - lowest_note.
        short_notes: `keep`: a note shorter than a step sounds for one; `drop`: a note that ends in the step in
            which it starts is left out, as in `pretty_midi`.

    Raises:
        UserError: an option lies outside its range.
    """

    unit: str
    rate: float
    lowest_note: int = 24
    n_notes: int = 84
    short_notes: str = "keep"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UserError(f"unit is {self.unit!r}; choose one of {', '.join(UNITS)}")
        if not 1 <= self.rate <= MAX_RATE:
            raise UserError(f"rate is {self.rate}; choose 1..{MAX_RATE} steps a {self.unit[:-1]}")
        if self.unit == "beats" and self.rate != int(self.rate):
            raise UserError(f"rate is {self.rate}; choose a whole number of steps a beat")
        if not (self.lowest_note >= 0 and 1 <= self.n_notes <= 128 - self.lowest_note):
            raise UserError(
                f"n_notes={self.n_notes} keys from lowest_note={self.lowest_note} on do not lie in 0..127; "
                "choose 24 and 84, for example"
            )
        if self.short_notes not in SHORT_NOTES:
            raise UserError(f"short_notes is {self.short_notes!r}; choose one of {', '.join(SHORT_NOTES)}")


def key_name(note: int) -> str:
    """Name a MIDI note in scientific pitch notation: 60 is `C4`."""
    return f"{_KEYS[note % 12]}{note // 12 - 1}"


def to_roll(notes: Notes, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Put notes on a grid: step = floor(time · rate).

    With `unit="beats"` steps are computed in integers and follow tempo changes. With `unit="seconds"` they are those of
    `pretty_midi.PrettyMIDI.get_piano_roll(fs=rate, pedal_threshold=None)`; with `short_notes="drop"` the same keys
    sound in the same steps, except for pitch bends.

    Returns:
        `sounding` and `onsets`, both bool (T, n_notes): whether key lowest_note + k sounds in a step, and whether
        a note starts there. T is the end of the last note among the keys, 0 where there is none.
    """
    key = notes.pitch.astype(np.int64) - grid.lowest_note
    start, end = _steps(notes, notes.start, grid), _steps(notes, notes.end, grid)
    if grid.short_notes == "keep":
        end = np.maximum(end, start + 1)
    kept = (key >= 0) & (key < grid.n_notes) & (end > start)
    key, start, end = key[kept], start[kept], end[kept]
    shape = int(end.max(initial=0)), grid.n_notes
    sounding, onsets = np.zeros(shape, bool), np.zeros(shape, bool)
    onsets[start, key] = True
    # A key sounds where more of its notes have started than ended: starts − ends per step, summed up over time.
    for k in np.unique(key):
        changes = np.bincount(start[key == k], minlength=shape[0] + 1)
        changes -= np.bincount(end[key == k], minlength=shape[0] + 1)
        sounding[:, k] = np.cumsum(changes)[:-1] > 0
    return sounding, onsets


def to_midi(
    sounding: np.ndarray,
    onsets: np.ndarray | None,
    grid: Grid,
    *,
    program: int = 0,
    velocity: int = 80,
    bpm: float = 120,
) -> mido.MidiFile:
    """Convert a roll to a type 1 MIDI file: a track with the tempo, and a track with the notes.

    `to_roll` restores the roll, without silence at its end. With `unit="seconds"` all notes start and end one tick
    late, about 1 ms, so that rounding can't move floor(time · rate) across a boundary.

    Args:
        sounding: bool (T, n_notes).
        onsets: bool (T, n_notes), where sounding keys are struck, in addition to the steps where a key starts to
            sound, which always count; `None`: only those.
        grid: of the roll.
        program: General MIDI program, in 0..127.
        velocity: of all notes, in 1..127.
        bpm: beats a minute, >= 4, of a grid in beats; a grid in seconds is written with 60 bpm, or 3.75 where its
            rate is not whole.
    """
    assert sounding.shape[1:] == (grid.n_notes,), sounding.shape
    assert onsets is None or onsets.shape == sounding.shape, onsets.shape
    steps_per_beat, tempo = _beat(grid, bpm)
    ticks_per_step = int(_TICKS // grid.rate)
    late = int(grid.unit == "seconds")
    length = late + ticks_per_step * len(sounding)
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks_per_step * steps_per_beat)
    midi.tracks.append(
        mido.MidiTrack(
            [mido.MetaMessage("set_tempo", tempo=tempo), mido.MetaMessage("end_of_track", time=length)]
        )
    )
    track = mido.MidiTrack([mido.Message("program_change", program=program)])
    now = 0
    for step, starts, key in _events(sounding, onsets):
        tick = late + ticks_per_step * step
        note = grid.lowest_note + key
        kind, strength = ("note_on", velocity) if starts else ("note_off", 0)
        track.append(mido.Message(kind, note=note, velocity=strength, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=length - now))
    midi.tracks.append(track)
    return midi


def _steps(notes: Notes, ticks: np.ndarray, grid: Grid) -> np.ndarray:
    if grid.unit == "beats":
        return ticks * int(grid.rate) // notes.ticks_per_beat
    return (notes.seconds(ticks) * grid.rate).astype(np.int64)


def _beat(grid: Grid, bpm: float) -> tuple[int, int]:
    """Return the steps of a beat and its length in microseconds, as exactly as a MIDI file can store it."""
    if grid.unit == "beats":
        return int(grid.rate), mido.bpm2tempo(bpm)
    if grid.rate == int(grid.rate):
        return int(grid.rate), 1_000_000
    steps = int(_LONGEST_BEAT * grid.rate)
    return steps, round(1_000_000 * steps / Fraction(grid.rate))


def _events(sounding: np.ndarray, onsets: np.ndarray | None) -> list[tuple[int, int, int]]:
    """Return sorted (step, 1 for a start or 0 for an end, key) of all notes."""
    silence = np.zeros((1, sounding.shape[1]), bool)
    padded = np.concatenate([silence, sounding.astype(bool), silence])
    before, now = padded[:-1], padded[1:]
    struck = np.zeros_like(now) if onsets is None else np.concatenate([onsets.astype(bool), silence])
    starts, ends = now & (struck | ~before), before & (struck | ~now)
    events = [(step, 1, key) for step, key in np.argwhere(starts).tolist()]
    return sorted(events + [(step, 0, key) for step, key in np.argwhere(ends).tolist()])
