"""Random polyphonic pieces as MIDI messages."""

import hashlib
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from src.errors import UserError

BPM = 120
TICKS_PER_BEAT = 480
TICKS_PER_SECOND = TICKS_PER_BEAT * BPM // 60
"""960: onsets and lengths are rounded to 1.04 ms, so that a `.mid` file holds the piece exactly."""

DRUM_CHANNEL = 9
CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A General MIDI instrument and the notes that it can play.

    Args:
        name: of its class.
        program: General MIDI program, counted from 0, in 0..127.
        low: lowest note, MIDI number in 0..127.
        high: highest note, MIDI number in low..127.

    Raises:
        UserError: a number lies outside its range.
    """

    name: str
    program: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.program <= 127:
            raise UserError(f"{self.name}: program {self.program} is unknown; General MIDI has 0..127")
        if not 0 <= self.low <= self.high <= 127:
            raise UserError(
                f"{self.name}: low={self.low} and high={self.high} leave no note; "
                "give MIDI numbers 0 <= low <= high <= 127"
            )


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """The distribution that random pieces are drawn from.

    Args:
        instruments: to draw from.
        clip_seconds: length of a piece; notes end there at the latest.
        max_instruments: the number of instruments of a piece is uniform in 1..max_instruments, at most 15; they are
            drawn without replacement.
        notes_per_instrument: notes drawn for each instrument; those that start past the end are dropped.
        velocity: lowest and highest MIDI velocity, in 1..127.
        gap: least and greatest time between two onsets of an instrument, in seconds, >= 0.
        length: least and greatest length of a note, in seconds, >= 0.01.

    Raises:
        UserError: an option lies outside its range, or a piece could have an instrument that never sounds.
    """

    instruments: tuple[Instrument, ...]
    clip_seconds: float
    max_instruments: int
    notes_per_instrument: int
    velocity: tuple[int, int]
    gap: tuple[float, float]
    length: tuple[float, float]

    def __post_init__(self) -> None:
        self._check_instruments()
        _check_range("velocity", self.velocity, 1, 127)
        _check_range("gap", self.gap, 0, float("inf"))
        _check_range("length", self.length, 0.01, float("inf"))
        if self.notes_per_instrument < 1:
            raise UserError(f"notes_per_instrument is {self.notes_per_instrument}; choose at least 1")
        if self.latest_first_onset < self.gap[0]:
            raise UserError(
                f"clip_seconds={self.clip_seconds} is too short for a note of length[0]={self.length[0]} s "
                f"after gap[0]={self.gap[0]} s; choose a longer clip, a smaller gap or a shorter length"
            )

    @property
    def latest_first_onset(self) -> float:
        """Seconds; an instrument that enters here still sounds for the shortest length of a note."""
        return self.clip_seconds - self.length[0]

    @property
    def ticks(self) -> int:
        """Length of a piece in MIDI ticks."""
        return round(self.clip_seconds * TICKS_PER_SECOND)

    def _check_instruments(self) -> None:
        names = [instrument.name for instrument in self.instruments]
        if len(set(names)) < len(names):
            raise UserError(f"two classes have the same name; give each of {names} a name of its own")
        most = min(len(names), len(CHANNELS))
        if not 1 <= self.max_instruments <= most:
            raise UserError(
                f"max_instruments is {self.max_instruments}; choose 1..{most} "
                f"(of {len(names)} classes; MIDI has {len(CHANNELS)} channels beside the drums)"
            )


@dataclass(frozen=True)
class Score:
    """A piece.

    Attributes:
        midi: a type 1 file: the tempo in the first track, then a track for each instrument.
        instruments: indices in `ScoreOptions.instruments` of those that play, in the order of the tracks.
    """

    midi: mido.MidiFile
    instruments: tuple[int, ...]

    def events(self) -> list[tuple[float, mido.Message]]:
        """Return the channel messages of all tracks in order of time, each with its time in seconds."""
        timed = []
        for track in self.midi.tracks:
            ticks = 0
            for message in track:
                ticks += message.time
                if not message.is_meta:
                    timed.append((ticks / TICKS_PER_SECOND, message))
        return sorted(timed, key=lambda event: event[0])

    def digest(self) -> int:
        """Return a 64-bit hash of the channel messages; pieces with the same digest are the same."""
        played = b"".join(struct.pack("<d", seconds) + message.bin() for seconds, message in self.events())
        return int.from_bytes(hashlib.blake2b(played, digest_size=8).digest(), "big")

    def save(self, path: Path) -> None:
        """Write a standard MIDI file (type 1, 480 ticks a beat, 120 beats a minute)."""
        self.midi.save(path)


def random_score(rng: np.random.Generator, options: ScoreOptions) -> Score:
    """Draw a piece: 1..max_instruments instruments at once, each with notes at random times.

    It follows the published generator of polyphonic clips (mido, 120 bpm), except that clips have a fixed length and
    instruments keep to their ranges. A note ends where the same key is struck again.

    Args:
        rng: source of all random numbers.
        options: the distribution.
    """
    count = int(rng.integers(1, options.max_instruments + 1))
    chosen = rng.permutation(len(options.instruments))[:count].tolist()
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(_tempo_track(options.ticks))
    for channel, position in zip(CHANNELS, chosen, strict=False):
        midi.tracks.append(_track(rng, options.instruments[position], channel, options))
    return Score(midi, tuple(chosen))


def _tempo_track(ticks: int) -> mido.MidiTrack:
    tempo = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(BPM))
    return mido.MidiTrack([tempo, mido.MetaMessage("end_of_track", time=ticks)])


def _track(
    rng: np.random.Generator, instrument: Instrument, channel: int, options: ScoreOptions
) -> mido.MidiTrack:
    events = []
    for onset, end, pitch, velocity in _notes(rng, instrument, options):
        events.append((onset, 1, pitch, velocity))
        events.append((end, 0, pitch, 0))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=instrument.name)])
    track.append(mido.Message("program_change", channel=channel, program=instrument.program))
    now = 0
    for tick, starts, pitch, velocity in sorted(events):
        kind = "note_on" if starts else "note_off"
        track.append(
            # mido's checks would take most of the time; the values come from checked ranges.
            mido.Message(
                kind, skip_checks=True, channel=channel, note=pitch, velocity=velocity, time=tick - now
            )
        )
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=options.ticks - now))
    return track


def _notes(
    rng: np.random.Generator, instrument: Instrument, options: ScoreOptions
) -> list[tuple[int, int, int, int]]:
    """Draw (onset, end, pitch, velocity) of an instrument's notes, times in ticks, ordered by onset."""
    count = options.notes_per_instrument
    pitches = rng.integers(instrument.low, instrument.high + 1, count).tolist()
    velocities = rng.integers(options.velocity[0], options.velocity[1] + 1, count).tolist()
    lengths = rng.uniform(*options.length, count).tolist()
    gaps = rng.uniform(*options.gap, count).tolist()
    gaps[0] = rng.uniform(options.gap[0], min(options.gap[1], options.latest_first_onset))
    onsets = list(itertools.accumulate(gaps))
    notes = []
    stops: dict[int, int] = {}
    for seconds, length, pitch, velocity in zip(
        reversed(onsets), reversed(lengths), reversed(pitches), reversed(velocities), strict=True
    ):
        onset, end = round(seconds * TICKS_PER_SECOND), round((seconds + length) * TICKS_PER_SECOND)
        stop = min(end, stops.get(pitch, options.ticks), options.ticks)
        if stop > onset:
            notes.append((onset, stop, pitch, velocity))
            stops[pitch] = onset
    return notes[::-1]


def _check_range(name: str, values: tuple[float, float], least: float, most: float) -> None:
    if len(values) != 2 or not least <= values[0] <= values[1] <= most:
        raise UserError(
            f"{name} is {list(values)}; give [low, high] with {least:g} <= low <= high <= {most:g}"
        )
