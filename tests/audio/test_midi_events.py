import io

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.midi_events import plain_events
from src.audio.notes import read_midi
from src.errors import UserError

NOTE = b"\x00\x90\x3c\x40\x0a\x3c\x00"
RUNNING = b"\x00\x3e\x40\x0a\x3e\x00"
END = b"\x00\xff\x2f\x00"


def midi_of(*tracks: bytes) -> bytes:
    """A file of type 1 with 480 ticks a beat."""
    chunks = [b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks]
    return b"MThd\0\0\0\6\0\1" + len(tracks).to_bytes(2, "big") + b"\1\xe0" + b"".join(chunks)


def found(path, *tracks):
    path.write_bytes(midi_of(*tracks))
    notes = read_midi(path)
    return list(zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b"\xf0\x02\x01\xf7", id="SysEx"),
        pytest.param(b"\xf0\x81\x00" + b"\x01" * 127 + b"\xf7", id="long SysEx"),
        pytest.param(b"\xf0\x02\x43\x12\x00\xf7\x03\x7f\x60\xf7", id="SysEx continued"),
        pytest.param(b"\xf7\x01\x60", id="escape"),
        pytest.param(b"\xf7\x02\x9f\x01", id="escape that looks like a note"),
        pytest.param(b"\xf2\x01\x02", id="song position"),
        pytest.param(b"\xf3\x01", id="song"),
        pytest.param(b"\xf8", id="clock"),
        pytest.param(b"\xf4", id="undefined"),
        pytest.param(b"\xff\x01\x02ab", id="text"),
    ],
)
@pytest.mark.parametrize("status", [b"", b"\x90"], ids=["running status", "status"])
def test_other_events_move_and_cost_no_note(tmp_path, event, status):
    second = b"\x00" + status + RUNNING[1:]
    expected = [(60, 0, 10), (62, 10 + 5, 20 + 5), (60, 25, 35)]
    assert found(tmp_path / "a.mid", NOTE + b"\x05" + event + second + NOTE + END) == expected


def test_half_of_the_notes_were_gone(tmp_path):
    track = NOTE + b"\x00\xf0\x02\x01\xf7" + RUNNING
    assert len(found(tmp_path / "a.mid", NOTE + END, track * 4 + END)) == 9


@pytest.mark.parametrize(
    "impossible",
    [
        pytest.param(b"\xff\x59\x02\xee\x01", id="18 flats"),
        pytest.param(b"\xff\x54\x04\0\0\0\0", id="short SMPTE offset"),
        pytest.param(b"\xff\x58\x01\x04", id="short time signature"),
    ],
)
def test_impossible_meta_events_beside_a_note_without_end_are_skipped(tmp_path, impossible):
    stuck = b"\x00\x90\x48\x40" + NOTE + b"\x00\x48\x40\x05\x48\x00" * 2
    notes = found(tmp_path / "a.mid", b"\x00" + impossible + END, stuck + END)
    assert notes == [(60, 0, 10), (72, 0, 15), (72, 10, 15), (72, 15, 20)]


def test_tempi_keep_their_times(tmp_path):
    change = b"\x05\xf0\x01\xf7\x05\xff\x51\x03\x03\xd0\x90"
    assert found(tmp_path / "a.mid", change + END, NOTE + END) == [(60, 0, 10)]
    notes = read_midi(tmp_path / "a.mid")
    assert notes.tempo_ticks.tolist() == [0, 10]
    np.testing.assert_allclose(notes.tempo_seconds_per_beat, [0.5, 0.25])


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (NOTE + b"\x00\xf0\x7f\x01", "it is damaged or cut off"),
        (b"\x00\xf0\x01\xf7" + RUNNING, "it is damaged or cut off"),
    ],
)
def test_a_damaged_file_with_sysex_is_refused(tmp_path, track, reason):
    with pytest.raises(UserError, match=reason):
        found(tmp_path / "a.mid", track)


def test_other_chunks_are_left_out():
    data = midi_of(NOTE + END)
    assert plain_events(data[:14] + b"XFIH\0\0\0\2ab" + data[14:]) == plain_events(data)


messages = st.lists(
    st.tuples(
        st.sampled_from([
            mido.Message("note_on", note=60), mido.Message("note_off", note=60), mido.Message("pitchwheel", pitch=9),
            mido.Message("program_change", program=3), mido.Message("control_change", control=64, value=127),
            mido.Message("aftertouch"), mido.Message("polytouch"), mido.Message("sysex", data=(1, 2, 3)),
            mido.MetaMessage("set_tempo", tempo=77), mido.MetaMessage("lyrics", text="la"),
        ]),
        st.sampled_from([0, 1, 200, 20_000]),
    ),
    max_size=20,
)  # fmt: skip


@given(messages)
def test_what_is_left_is_what_mido_reads(played):
    written = io.BytesIO()
    track = mido.MidiTrack(message.copy(time=time) for message, time in played)
    mido.MidiFile(tracks=[track]).save(file=written)
    [again] = mido.MidiFile(file=io.BytesIO(plain_events(written.getvalue()))).tracks

    def timed(track):
        now, kept = 0, []
        for message in track:
            now += message.time
            if message.type not in ("sysex", "lyrics"):
                kept.append(message.copy(time=now))
        return kept

    assert timed(again) == timed(mido.MidiFile(file=io.BytesIO(written.getvalue())).tracks[0])
