import os
import warnings
from collections import Counter
from contextlib import suppress

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio import notes as module
from src.audio.notes import Notes, midi_files, read_midi
from src.errors import UserError


def on(note, time=0, channel=0):
    return mido.Message("note_on", note=note, velocity=64, time=time, channel=channel)


def off(note, time=0, channel=0):
    return mido.Message("note_off", note=note, time=time, channel=channel)


def tempo(microseconds, time=0):
    return mido.MetaMessage("set_tempo", tempo=microseconds, time=time)


def saved(path, *tracks, kind=1, ticks_per_beat=480):
    midi = mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat)
    midi.tracks.extend(mido.MidiTrack(track) for track in tracks)
    midi.save(path)
    return path


def found(path):
    notes = read_midi(path)
    return list(zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True))


def paired_by_pretty_midi(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        midi = pretty_midi.PrettyMIDI(str(path))
    notes = [note for part in midi.instruments if not part.is_drum for note in part.notes]
    return [(n.pitch, midi.time_to_tick(n.start), midi.time_to_tick(n.end)) for n in notes]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("midi") / "piece.mid"


balanced_tracks = st.lists(
    st.lists(
        st.tuples(st.integers(58, 62), st.sampled_from([0, 3, 9]), st.integers(0, 400), st.integers(1, 200)),
        max_size=12,
    ),
    min_size=1,
    max_size=3,
)


def events(notes):
    """Give the messages of notes (pitch, channel, start, length): each has its note-off."""
    timed = [(start, 1, pitch, channel) for pitch, channel, start, _ in notes]
    timed += [(start + length, 0, pitch, channel) for pitch, channel, start, length in notes]
    now, messages = 0, []
    for tick, starts, pitch, channel in sorted(timed):
        messages.append((on if starts else off)(pitch, tick - now, channel))
        now = tick
    return messages


@given(balanced_tracks)
@settings(max_examples=150)
def test_notes_are_those_of_pretty_midi(file, tracks):
    saved(file, *map(events, tracks))
    expected = Counter(paired_by_pretty_midi(file))
    if expected:
        assert Counter(found(file)) == expected
    else:
        with pytest.raises(UserError):
            read_midi(file)


@pytest.mark.parametrize(
    "track",
    [
        pytest.param([on(60), on(60, 5), off(60, 5), off(60, 5)], id="struck again before its release"),
        pytest.param([on(60), on(60, 5), off(60, 5), on(60, 9), off(60, 9)], id="one release for two"),
        pytest.param([on(60), on(60, 5), off(60), off(60, 5)], id="struck and released in a tick"),
        pytest.param([on(60), on(62), off(62, 10)], id="never released"),
        pytest.param([on(60), off(60), on(60), off(60, 5)], id="no length"),
        pytest.param([off(60), off(60, 3), on(60), off(60, 5)], id="release without a note"),
        pytest.param([on(60), on(60, 0, 1), off(60, 5), off(60, 5, 1)], id="two channels"),
        pytest.param([on(60), on(60, 1, 9), off(60, 5), off(60, 5, 9)], id="drums beside"),
        pytest.param(
            [on(60), on(60, 5), off(60, 1), on(60, 51), off(60), off(60, 51)], id="shifted, no length"
        ),
    ],
)
def test_pairs_as_pretty_midi(tmp_path, track):
    path = saved(tmp_path / "a.mid", [], track)
    assert sorted(found(path)) == sorted(paired_by_pretty_midi(path))


def test_notes_are_in_order_of_start_then_pitch(tmp_path):
    path = saved(
        tmp_path / "a.mid", [on(70), on(60), off(70, 9), off(60)], [on(65), off(65, 4), on(50), off(50, 4)]
    )
    assert found(path) == [(60, 0, 9), (65, 0, 4), (70, 0, 9), (50, 4, 8)]


def test_types_and_velocity(tmp_path):
    notes = read_midi(saved(tmp_path / "a.mid", [on(127), off(127, 9)]))
    assert (notes.pitch.dtype, notes.velocity.dtype) == (np.uint8, np.uint8)
    assert (notes.start.dtype, notes.end.dtype, notes.tempo_ticks.dtype) == (np.int64,) * 3
    assert notes.velocity.tolist() == [64]


def test_running_status_and_velocity_0_as_release(tmp_path):
    body = b"\x00\x90\x3c\x40\x05\x3e\x40\x05\x3c\x00\x05\x3e\x00\x00\xff\x2f\x00"
    path = tmp_path / "a.mid"
    path.write_bytes(b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk" + len(body).to_bytes(4, "big") + body)
    assert found(path) == [(60, 0, 10), (62, 5, 15)]


def test_type_0_is_read(tmp_path):
    assert found(saved(tmp_path / "a.mid", [tempo(400_000), on(60), off(60, 9)], kind=0)) == [(60, 0, 9)]


changes = st.lists(st.tuples(st.integers(0, 300), st.integers(10_000, 3_000_000)), max_size=6)


@given(changes, st.sampled_from([24, 96, 480, 1000]))
@settings(max_examples=100)
def test_seconds_are_those_of_pretty_midi_to_the_last_bit(file, changes, ticks_per_beat):
    tempi = [tempo(microseconds, time) for time, microseconds in changes]
    saved(file, tempi, [on(60), off(60, 2000)], ticks_per_beat=ticks_per_beat)
    reference = pretty_midi.PrettyMIDI(str(file))
    ticks = np.arange(2001)
    expected = [reference.tick_to_time(tick) for tick in ticks.tolist()]
    np.testing.assert_array_equal(read_midi(file).seconds(ticks), expected)


def test_a_tempo_counts_in_any_track(tmp_path):
    path = saved(tmp_path / "a.mid", [tempo(250_000)], [tempo(1_000_000, 480), on(60), off(60, 960)])
    assert read_midi(path).seconds(np.array([480, 1440])).tolist() == pytest.approx([0.25, 2.25])


def test_a_beat_lasts_half_a_second_by_default(tmp_path):
    notes = read_midi(saved(tmp_path / "a.mid", [on(60), off(60, 960)]))
    assert (notes.tempo_ticks.tolist(), notes.tempo_seconds_per_beat.tolist()) == ([0], [0.5])


def assert_refused(path, reason):
    with pytest.raises(UserError, match=reason) as refusal:
        read_midi(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ([], "no notes"),
        ([[on(60, 5)]], "no notes"),
        ([[on(60, 0, 9), off(60, 5, 9)]], "drums only"),
        ([[tempo(0), on(60), off(60, 5)]], "tempo of 0"),
        ([[on(60), off(60, 5), on(60, 480 * 29_000), off(60, 5)]], "4 hours"),
        ([[tempo(1), on(60), off(60, 2**28 - 1)]], "30,000 beats"),
        ([[on(60, 2**28 - 1)] * 8 + [off(60, 2**28 - 1)]], "beats|too large"),
    ],
)
def test_refuses_a_piece_that_cannot_be_used(tmp_path, tracks, reason):
    assert_refused(saved(tmp_path / "a.mid", *tracks), reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "empty"),
        (lambda data: data[: len(data) // 2], "cannot be used: it is damaged or cut off; repair"),
        (
            lambda data: b"not a piece of music",
            "cannot be used: it is no MIDI file, whatever its name says; repair",
        ),
        (lambda data: b"RIFF" + data[4:], "cannot be used"),
        (lambda data: data[:9] + b"\2" + data[10:], "type 2"),
        (lambda data: data[:12] + b"\0\0" + data[14:], "0 ticks a beat"),
        (lambda data: data[:12] + b"\xe7\x28" + data[14:], "ticks per quarter"),
    ],
)
def test_refuses_a_file_that_cannot_be_read(tmp_path, change, reason):
    path = saved(tmp_path / "a.mid", [on(60), off(60, 9)])
    path.write_bytes(change(path.read_bytes()))
    assert_refused(path, reason)


def test_refuses_a_file_that_is_not_there(tmp_path):
    assert_refused(tmp_path / "a.mid", "it does not exist")


def test_refuses_a_large_file_unread(tmp_path):
    path = tmp_path / "a.mid"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert_refused(path, "5 MB")


def test_refuses_too_many_notes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_NOTES", 10)
    assert_refused(saved(tmp_path / "a.mid", [on(60), off(60, 1)] * 11), "more than 10 notes")


def sound(notes):
    assert isinstance(notes, Notes)
    assert len(notes.pitch)
    assert (notes.pitch < 128).all()
    assert (notes.start >= 0).all()
    assert (notes.end > notes.start).all()
    assert np.isfinite(notes.seconds(notes.end)).all()


@given(st.binary(max_size=200))
@settings(max_examples=150)
def test_garbage_in_a_track_is_read_or_refused(file, body):
    file.write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk" + len(body).to_bytes(4, "big") + body)
    with suppress(UserError):
        sound(read_midi(file))


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=150)
def test_a_damaged_file_is_read_or_refused(file, damage):
    saved(file, [tempo(400_000)], [on(60), on(64, 5), off(60, 5), off(64, 9), on(60), off(60, 300)] * 3)
    data = bytearray(file.read_bytes())
    for place, byte in damage:
        data[place % len(data)] = byte
    file.write_bytes(data)
    with suppress(UserError):
        sound(read_midi(file))


def test_midi_files_are_found_in_all_folders_in_order(tmp_path):
    for name in ("b.mid", "a/z.MIDI", "a/b/c.Mid", "a/notes.txt", "a/._z.mid"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.mid").mkdir()
    assert midi_files(tmp_path) == [
        tmp_path / "a" / "b" / "c.Mid",
        tmp_path / "a" / "z.MIDI",
        tmp_path / "b.mid",
    ]


def test_midi_files_are_found_in_linked_folders(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.mid").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "Bach").symlink_to(tmp_path / "disk")
    assert midi_files(tmp_path / "root") == [tmp_path / "root" / "Bach" / "a.mid"]


def test_midi_files_that_are_no_regular_files_are_named_with_the_reason(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "link.mid").symlink_to("gone")
    link, pipe = midi_files(tmp_path)
    with pytest.raises(UserError, match=r"link\.mid cannot be used: it is a link that leads nowhere;"):
        read_midi(link)
    with pytest.raises(UserError, match=r"pipe\.mid cannot be used: it is not a regular file;"):
        read_midi(pipe)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="missing does not exist"):
        midi_files(tmp_path / "missing")
    (tmp_path / "a.mid").touch()
    with pytest.raises(UserError, match=r"a\.mid is a file; give the folder"):
        midi_files(tmp_path / "a.mid")


def test_a_folder_without_midi_files_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no file \.mid"):
        midi_files(tmp_path)
