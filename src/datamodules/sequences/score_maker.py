"""Features of clips of scores: read by music21, played by FluidSynth, heard by librosa."""

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
"""Root mean square of every clip, so that more voices are not louder: -26 dB of full scale."""


@dataclass(frozen=True, order=True)
class ScoreNote:
    """A note; start and end in ticks, pitch as a MIDI number, and the part that plays it, from 0."""

    start: int
    end: int
    pitch: int
    part: int


@dataclass(frozen=True, kw_only=True)
class ScoreClips:
    """Makes the features of clip i, all played alike: one instrument, one velocity, one tempo, one loudness.

    Clip n of a piece is what is heard from n · seconds on when the piece is played again and again, as tunes are. So no
    clip is shorter than another, and its length tells nothing of the piece. A note that begins before the clip is not
    heard in it. Beats are equally long everywhere: tempo marks are passed over, but how many notes a beat has is heard.

    Args:
        corpus: the folder that the paths of pieces are relative to.
        clips: a piece, and which clip of it, from 0; clips of one piece in a row are parsed once.
        soundfont: path of the file.
        program: General MIDI, 0..127.
        bpm: beats a minute, > 0.
        seconds: length of a clip, > 0.
        beat_sync: whether a frame is a beat, as it is heard.
        max_frames: kept of a clip, from its beginning.
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
        """Give the features of clip `index`, of no frame where the score can't be used."""
        try:
            features = music_features(self.sound(index), beat_sync=self.beat_sync)
        except UserError:
            features = np.zeros((N_ROWS, 0))
        return stored(features, self.max_frames)

    def problem(self, index: int) -> str:
        """Say why a score can't be used; empty if it can."""
        try:
            self.sound(index)
        except UserError as error:
            return str(error)
        return ""

    def sound(self, index: int) -> np.ndarray:
        """Play a clip: float32 (samples,), at 22,050 Hz.

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
        """Give a clip as a MIDI file of type 0; its last notes may reach past its end.

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
        """A minute."""
        return self.bpm * self.clips[index][0].beat

    def _events(self, index: int) -> list[tuple[int, mido.Message]]:
        piece, number = self.clips[index]
        ticks = round(self.seconds * self._crotchets(index) / 60 * TICKS_PER_BEAT)
        needed = ticks * (1 + max(of_piece for other, of_piece in self.clips if other == piece))
        notes, length = read_piece(self.corpus / piece.path, piece.tune, needed)
        return events(again_and_again(notes, length, number * ticks, (number + 1) * ticks), self.program)


@functools.lru_cache(maxsize=1)
def read_piece(path: Path, tune: int, until: int) -> tuple[tuple[ScoreNote, ...], int]:
    """Read a piece.

    Args:
        path: of its file.
        tune: its place in a file of tunes, from 1; 0: the whole file.
        until: ticks; notes that begin later may be left out.

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
    """Give the notes that begin in a part of a piece that is repeated without end, and without a pause.

    Args:
        notes: of the piece.
        length: of the piece, ticks, > 0.
        start: of the part, ticks, >= 0.
        end: of the part, > start.

    Returns:
        In order; ticks count from the part's beginning.
    """
    turns = range(start // length, -(-end // length))
    moved = (
        replace(note, start=note.start + shift, end=note.end + shift)
        for shift in (turn * length - start for turn in turns)
        for note in notes
    )
    return [note for note in moved if 0 <= note.start < end - start]


def events(notes: Sequence[ScoreNote], program: int) -> list[tuple[int, mido.Message]]:
    """Give what is played: ticks and messages in order of time, a channel for each part.

    A key that a part strikes again, as two voices in it may, is released before; keys are struck after all releases of
    the same tick.

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
