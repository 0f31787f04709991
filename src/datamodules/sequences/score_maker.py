"""Features of clips of scores: read by music21, played by FluidSynth, analysed by librosa."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mido
import numpy as np

from src.audio.music_features import SAMPLE_RATE, music_features
from src.audio.score import CHANNELS
from src.audio.score_files import TICKS_PER_BEAT, garbage_collection_paused, length_of, notes_of, parse_score
from src.audio.synthesis import Synthesizer
from src.datamodules.sequences.corpus import CorpusPiece, tunes_of
from src.datamodules.sequences.rows import N_ROWS
from src.datamodules.sequences.store import Made, stored
from src.errors import UserError

VELOCITY = 80
"""Of all notes."""

LEVEL = 0.05
"""Root mean square of every clip, -26 dB of full scale, so that more voices are not louder."""


@dataclass(frozen=True, order=True)
class ScoreNote:
    """A note; start and end in ticks, pitch as a MIDI number, and the part that plays it, from 0."""

    start: int
    end: int
    pitch: int
    part: int


@dataclass(frozen=True, kw_only=True)
class ScoreClips:
    """Makes the features of clip i; all clips have the same instrument, velocity, tempo and loudness.

    Clip n of a piece begins n · seconds after the beginning, with the piece repeated without end, as tunes are. So all
    clips are equally long, whatever the length of their pieces. A note that begins before a clip is not played in it.
    Tempo marks are ignored: a beat has the same length everywhere, but pieces still differ in notes per beat.

    Args:
        corpus: the folder that the paths of pieces are relative to.
        clips: a piece, and the number of the clip in it, from 0; successive clips of a piece are parsed once.
        soundfont: path of the file.
        program: General MIDI, 0..127.
        bpm: beats per minute, > 0.
        seconds: length of a clip, s, > 0.
        beat_sync: whether a frame is a beat, as tracked in the sound.
        max_frames: number of frames kept of a clip, from its beginning.
    """

    corpus: Path
    clips: tuple[tuple[CorpusPiece, int], ...]
    soundfont: Path
    program: int
    bpm: float
    seconds: float
    beat_sync: bool
    max_frames: int

    def __call__(self, index: int) -> Made:
        """Return the features of clip `index`, with no frame if the score cannot be used."""
        try:
            features = music_features(self.sound(index), beat_sync=self.beat_sync)
        except UserError:
            features = np.zeros((N_ROWS, 0))
        return stored(features, self.max_frames)

    def problem(self, index: int) -> str:
        """Return why a score cannot be used; empty if it can."""
        try:
            self.sound(index)
        except UserError as error:
            return str(error)
        return ""

    def sound(self, index: int) -> np.ndarray:
        """Return the sound of a clip, float32 (samples,), at 22,050 Hz.

        Raises:
            UserError: the score cannot be read, or makes no sound.
        """
        seconds_per_tick = 60 / (self._crotchets(index) * TICKS_PER_BEAT)
        events = [(tick * seconds_per_tick, message) for tick, message in self._events(index)]
        sound: np.ndarray = _synthesizer(self.soundfont).render(events, self.seconds)
        level = float(np.sqrt(np.square(sound, dtype=np.float64).mean()))
        if level == 0:
            raise UserError("makes no sound")
        return sound * np.float32(LEVEL / level)

    def midi(self, index: int) -> mido.MidiFile:
        """Return a clip as a MIDI file of type 0; its last notes may end after it.

        Raises:
            UserError: the score cannot be read.
        """
        track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(self._crotchets(index)))])
        now = 0
        for tick, message in self._events(index):
            track.append(message.copy(time=tick - now))
            now = tick
        midi = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT)
        midi.tracks.append(track)
        return midi

    def _crotchets(self, index: int) -> float:
        """Return the number of crotchets per minute."""
        return self.bpm * self.clips[index][0].beat

    def _events(self, index: int) -> list[tuple[int, mido.Message]]:
        piece, number = self.clips[index]
        ticks = round(self.seconds * self._crotchets(index) / 60 * TICKS_PER_BEAT)
        last = max(clip for of_piece, clip in self.clips if of_piece == piece)
        needed = ticks * (1 + last)
        notes, length = read_piece(self.corpus / piece.path, piece.tune, needed)
        return events(again_and_again(notes, length, number * ticks, (number + 1) * ticks), self.program)


@functools.lru_cache(maxsize=1)
def read_piece(path: Path, tune: int, until: int) -> tuple[tuple[ScoreNote, ...], int]:
    """Read a piece.

    Args:
        path: of its file.
        tune: its number in a file of tunes, from 1; 0: the piece is the whole file.
        until: ticks; notes that begin later may be missing.

    Returns:
        Its notes, in order, and the length of the whole piece in ticks.

    Raises:
        UserError: the score cannot be read, or has no notes.
    """
    with garbage_collection_paused():
        score = parse_score(tunes_of(path)[tune - 1] if tune else path)
        parts = list(getattr(score, "parts", ())) or [score]
        notes = [
            ScoreNote(*note, number) for number, part in enumerate(parts) for note in notes_of(part, until)
        ]
        length = length_of(score)
    if not length:
        raise UserError("has no notes")
    return tuple(sorted(notes)), length


def again_and_again(notes: Sequence[ScoreNote], length: int, start: int, end: int) -> list[ScoreNote]:
    """Return the notes that begin in an excerpt of a piece that is repeated without end and without pause.

    Args:
        notes: of the piece.
        length: of the piece, ticks, > 0.
        start: of the excerpt, ticks, >= 0.
        end: of the excerpt, ticks, > start.

    Returns:
        The notes in order; their ticks count from the beginning of the excerpt.
    """
    turns = range(start // length, -(-end // length))
    moved = (
        replace(note, start=note.start + shift, end=note.end + shift)
        for shift in (turn * length - start for turn in turns)
        for note in notes
    )
    return [note for note in moved if 0 <= note.start < end - start]


def events(notes: Sequence[ScoreNote], program: int) -> list[tuple[int, mido.Message]]:
    """Return ticks and MIDI messages in order of time, with a channel for each part.

    If a part strikes a key that still sounds, as two voices in it may, the key is released first. In one tick, all
    releases come before the new notes.

    Args:
        notes: in order.
        program: General MIDI, 0..127.
    """
    channels = {part: CHANNELS[part % len(CHANNELS)] for part in sorted({note.part for note in notes})}
    stops: dict[tuple[int, int], int] = {}
    played: list[tuple[int, int, int, int]] = []
    for note in reversed(notes):
        key = channels[note.part], note.pitch
        end = min(note.end, stops.get(key, note.end))
        stops[key] = note.start
        if end > note.start:
            played += [(note.start, VELOCITY, *key), (end, 0, *key)]
    programs = [
        (0, mido.Message("program_change", channel=channel, program=program))
        for channel in sorted(set(channels.values()))
    ]
    return programs + [
        (tick, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
        for tick, velocity, channel, pitch in sorted(played)
    ]


@functools.lru_cache(maxsize=1)
def _synthesizer(soundfont: Path) -> Any:
    return Synthesizer(soundfont, sample_rate=SAMPLE_RATE)
