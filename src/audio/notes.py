"""The notes of standard MIDI files."""

import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from symusic.core import ScoreTick

from src.audio.midi_events import has_system_messages, plain_events
from src.errors import UserError
from src.paths import no_folder, not_a_file, visible_names

MAX_BYTES = 5_000_000
MAX_NOTES = 200_000
MAX_BEATS = 30_000
MAX_SECONDS = 4 * 3600
"""Larger files are refused, to bound the time and memory that a file takes. A piece of an hour has about 300 kB,
30,000 notes and 8,000 beats."""

SUFFIXES = (".mid", ".midi")
_DRUM_CHANNEL = 9
_DEFAULT_TEMPO = 500_000  # microseconds a beat


@dataclass(frozen=True, eq=False)
class Notes:
    """The notes of all instruments of a piece except the drums, ordered by start, then pitch.

    Attributes:
        pitch: (n,) uint8, MIDI numbers in 0..127.
        velocity: (n,) uint8, in 1..127.
        start: (n,) int64, ticks from the start of the file, >= 0.
        end: (n,) int64, ticks, > start.
        ticks_per_beat: ticks of a quarter note, > 0.
        tempo_ticks: (m,) int64, where the tempo changes; ascending, the first is 0.
        tempo_seconds_per_beat: (m,) float64, the tempo from each of these on, whole microseconds, > 0.
    """

    pitch: np.ndarray
    velocity: np.ndarray
    start: np.ndarray
    end: np.ndarray
    ticks_per_beat: int
    tempo_ticks: np.ndarray
    tempo_seconds_per_beat: np.ndarray

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Convert ticks to seconds, following tempo changes.

        The operations and their order are those of `pretty_midi.PrettyMIDI`, so the results agree to the last bit.

        Args:
            ticks: integers of any shape, >= 0.

        Returns:
            float64 of the same shape, >= 0.
        """
        beats_per_minute = 6e7 / np.rint(1e6 * self.tempo_seconds_per_beat)
        seconds_per_tick = 60.0 / (beats_per_minute * self.ticks_per_beat)
        changes = np.concatenate([[0.0], np.cumsum(seconds_per_tick[:-1] * np.diff(self.tempo_ticks))])
        section = np.searchsorted(self.tempo_ticks, ticks, side="right") - 1
        seconds: np.ndarray = changes[section] + seconds_per_tick[section] * (
            ticks - self.tempo_ticks[section]
        )
        return seconds


def midi_files(root: Path) -> list[Path]:
    """Return the sorted MIDI files of a folder and its subfolders, without hidden ones, see `visible_names`.

    They may be no regular files; `read_midi` refuses those.

    Raises:
        UserError: the folder is missing, or there is no MIDI file in it.
    """
    if not root.is_dir():
        raise UserError(f"{no_folder(root)}; give the folder of the MIDI files")
    files = [root / file for file in visible_names(root) if file.suffix.lower() in SUFFIXES]
    if not files:
        raise UserError(
            f"{root} has no file {' or '.join(SUFFIXES)} in it; give the folder of the MIDI files"
        )
    return files


def read_midi(path: Path) -> Notes:
    """Read the notes of a standard MIDI file, type 0 or 1.

    Note-ons and note-offs are paired as in `pretty_midi`: a note-off ends all notes of its track, channel and pitch
    that started before it. Notes without length or end, drums (channel 10), pedals and pitch bends are left out, and
    so is a note that starts within another one of its key if the key is never released again. Tempo changes count in
    every track (in `pretty_midi`, in the first track only). System exclusive events are skipped, see `plain_events`.

    Raises:
        UserError: the file cannot be read, has no notes, or is larger or longer than the bounds above.
    """
    data = _bytes(path)
    try:
        if has_system_messages(data):
            data = plain_events(data)
        score = ScoreTick.from_midi(data)
    # Which exceptions symusic raises is not documented.
    except Exception as error:
        raise _refusal(path, _damage(data)) from error
    if score.ticks_per_quarter < 1:
        raise _refusal(path, "it has 0 ticks a beat")
    pitch, velocity, start, end = _columns(path, data, score)
    if not len(pitch):
        raise _refusal(
            path, "it has drums only" if any(track.is_drum for track in score.tracks) else "it has no notes"
        )
    order = np.lexsort((end, pitch, start))
    notes = Notes(
        pitch[order].astype(np.uint8),
        velocity[order].astype(np.uint8),
        start[order],
        end[order],
        score.ticks_per_quarter,
        *_tempi(path, score),
    )
    _check_bounds(path, notes)
    return notes


def _bytes(path: Path) -> bytes:
    if problem := not_a_file(path):
        raise _refusal(path, f"it {problem}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(path, f"it has more than {MAX_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from error
    if not data:
        raise _refusal(path, "it is empty")
    if data[8:10] == b"\x00\x02":
        raise _refusal(path, "it is of type 2, several pieces in one file")
    return data


def _columns(path: Path, data: bytes, score: ScoreTick) -> np.ndarray:
    """Return pitch, velocity, start and end, (4, n), of the notes of all tracks but the drums, unordered."""
    tracks = [_from_symusic(track.notes.numpy()) for track in score.tracks if not track.is_drum]
    # symusic counts ticks in 32 bits; past them they turn negative.
    if any((notes < 0).any() or (notes[3] < notes[2]).any() for notes in tracks):
        raise _refusal(path, "its times are too large")
    if any(map(_may_lack_notes, tracks)):
        try:
            plain = io.BytesIO(plain_events(data))
            tracks = [_from_mido(track) for track in mido.MidiFile(file=plain).tracks]
        # The exceptions of mido for a broken file have no class in common.
        except Exception as error:
            raise _refusal(path, _damage(data)) from error
    else:
        tracks = [_released(notes) for notes in tracks]
    return np.concatenate([np.zeros((4, 0), np.int64), *tracks], axis=1)


def _from_symusic(found: dict[str, np.ndarray]) -> np.ndarray:
    """Return the notes of a track, (4, n), ordered by pitch, then start."""
    pitch, velocity, start, length = (
        found[name].astype(np.int64) for name in ("pitch", "velocity", "time", "duration")
    )
    notes = np.stack([pitch, velocity, start, start + length])
    return notes[:, np.lexsort((notes[3], notes[2], notes[0]))]


def _may_lack_notes(notes: np.ndarray) -> bool:
    """Whether symusic may have dropped notes of a track, or paired them wrongly.

    It matches note-ons and note-offs of a key first in, first out. So a note-on without a note-off shifts all that
    follow: each note lasts up to or into the next one, until the last note of the key.
    """
    pitch, _, start, end = notes
    same_key = np.append(False, pitch[1:] == pitch[:-1])[: len(pitch)]
    last_end = np.roll(end, 1)
    chain = np.cumsum(~same_key | (start > last_end))
    doubtful = chain[same_key & (start < last_end)]
    last = chain[np.append(~same_key[1:], True)[: len(pitch)]]
    return bool(np.isin(doubtful, last).any() or (start == end).any())


def _released(notes: np.ndarray) -> np.ndarray:
    """End each note of a track at the first note-off of its key."""
    pitch, velocity, start, end = notes
    keys = pitch << 40
    released = end[np.searchsorted(keys + end, keys + start, side="right")]
    return np.stack([pitch, velocity, start, released])


def _from_mido(track: mido.MidiTrack) -> np.ndarray:
    notes = [note for note in _paired(track) if note[3] > note[2]]
    return np.array(notes, np.int64).reshape(-1, 4).T


def _paired(track: mido.MidiTrack) -> Iterator[tuple[int, int, int, int]]:
    """Yield (pitch, velocity, start, end) as `PrettyMIDI._load_instruments` does, without drums."""
    sounding: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    now = 0
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUM_CHANNEL:
            continue
        key = message.channel, message.note
        if message.type == "note_on" and message.velocity > 0:
            sounding[key].append((now, message.velocity))
            continue
        struck = sounding.pop(key, [])
        ended = [(start, velocity) for start, velocity in struck if start < now]
        yield from ((message.note, velocity, start, now) for start, velocity in ended)
        if 0 < len(ended) < len(struck):
            sounding[key] = struck[len(ended) :]


def _tempi(path: Path, score: ScoreTick) -> tuple[np.ndarray, np.ndarray]:
    """Return ticks and seconds a beat of tempo changes, beginning with the last one at tick 0, without repeats."""
    found = score.tempos.numpy()
    ticks, tempi = found["time"].astype(np.int64), found["mspq"].astype(np.int64)
    if (tempi < 1).any():
        raise _refusal(path, "it has a tempo of 0 seconds a beat")
    if (ticks < 0).any():
        raise _refusal(path, "its times are too large")
    # The last change at tick 0 is the initial tempo; without one it is 120 beats a minute.
    first = tempi[ticks == 0][-1:] if (ticks == 0).any() else np.array([_DEFAULT_TEMPO])
    ticks, tempi = np.append(0, ticks[ticks > 0]), np.append(first, tempi[ticks > 0])
    # Only real changes are kept, as in pretty_midi.
    kept = np.append(True, tempi[1:] != tempi[:-1])
    return ticks[kept], tempi[kept] / 1e6


def _check_bounds(path: Path, notes: Notes) -> None:
    if len(notes.pitch) > MAX_NOTES:
        raise _refusal(path, f"it has more than {MAX_NOTES:,} notes")
    last = notes.end.max()
    if last > MAX_BEATS * notes.ticks_per_beat:
        raise _refusal(path, f"it has more than {MAX_BEATS:,} beats")
    if notes.seconds(last) > MAX_SECONDS:
        raise _refusal(path, f"it lasts more than {MAX_SECONDS // 3600} hours")


def _damage(data: bytes) -> str:
    """Return why a file is not read, which the libraries say in words that help nobody."""
    if not data.startswith((b"MThd", b"RIFF")):
        return "it is no MIDI file, whatever its name says"
    if data[12:13] >= b"\x80":
        return "it counts time in frames (SMPTE), not in ticks per quarter note"
    return "it is damaged or cut off"


def _refusal(path: Path, reason: str) -> UserError:
    return UserError(f"{path} cannot be used: {reason}; repair the file, or move it out of the folder")
