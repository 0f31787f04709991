import pickle
from dataclasses import replace

import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.music_features import SAMPLE_RATE, mel_and_chroma
from src.audio.score_files import TICKS_PER_BEAT
from src.audio.soundfonts.installed import find_soundfont
from src.datamodules.sequences.corpus import CorpusPiece, corpus_folder
from src.datamodules.sequences.score_maker import (
    LEVEL,
    ScoreClips,
    ScoreNote,
    again_and_again,
    events,
    read_piece,
)
from src.errors import UserError
from tests.datamodules.sequences.scores import write_parts, write_tune

SECONDS = 2.0


def clips(root, *chosen, **changes):
    """Clips of pieces, given as (path, tune, number of the clip)."""
    options = {
        "corpus": root,
        "clips": tuple((CorpusPiece(path, tune, path), number) for path, tune, number in chosen),
        "soundfont": find_soundfont("TimGM6mb"),
        "program": 0,
        "bpm": 120,
        "seconds": SECONDS,
        "beat_sync": False,
        "max_frames": 100,
    }
    return ScoreClips(**{**options, **changes})


@st.composite
def scores(draw):
    """Notes of a few parts, in order."""
    numbers = st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(60, 63), st.integers(0, 2))
    found = draw(st.lists(numbers, min_size=1, max_size=8))
    return sorted(ScoreNote(start, start + length, pitch, part) for start, length, pitch, part in found)


@given(scores(), st.integers(0, 100), st.integers(1, 100))
def test_a_part_of_a_repeated_piece_is_cut_from_all_of_it(notes, start, length):
    period = max(note.end for note in notes)
    times = -(-(start + length) // period)
    whole = [
        ScoreNote(note.start + turn * period, note.end + turn * period, note.pitch, note.part)
        for turn in range(times)
        for note in notes
    ]
    wanted = [
        ScoreNote(note.start - start, note.end - start, note.pitch, note.part)
        for note in whole
        if start <= note.start < start + length
    ]
    assert again_and_again(notes, period, start, start + length) == wanted


@given(scores())
def test_no_key_is_struck_while_it_sounds(notes):
    sounding, now, struck = set(), 0, set()
    for tick, message in events(notes, 5):
        assert tick >= now
        now = tick
        if message.type == "program_change":
            assert message.program == 5
            continue
        key = message.channel, message.note
        assert (key in sounding) == (message.velocity == 0)
        sounding ^= {key}
        if message.velocity:
            assert message.velocity == 80
            struck.add((tick, message.note))
    assert not sounding
    assert struck == {(note.start, note.pitch) for note in notes}


def test_drums_are_never_played():
    notes = [ScoreNote(0, 1, 60, part) for part in range(40)]
    channels = {message.channel for _, message in events(notes, 0)}
    assert channels == set(range(16)) - {9}


def test_notes_of_a_score_by_hand(tmp_path):
    write_parts(tmp_path / "a.xml", [[("C5", 1), ("rest", 1), ("D5", 2)], [("C3", 4)]])
    beat = TICKS_PER_BEAT
    notes = (
        ScoreNote(0, beat, 72, 0),
        ScoreNote(0, 4 * beat, 48, 1),
        ScoreNote(2 * beat, 4 * beat, 74, 0),
    )
    assert read_piece(tmp_path / "a.xml", 0, 9 * beat) == (notes, 4 * beat)
    assert read_piece(tmp_path / "a.xml", 0, beat) == (notes[:2], 4 * beat)


def test_reading_a_beginning_changes_none_of_its_notes():
    path = corpus_folder() / "mozart" / "k80" / "movement3.mxl"
    (whole, length), until = read_piece(path, 0, 10**9), 60 * TICKS_PER_BEAT
    begun, same = read_piece(path, 0, until)
    assert same == length == max(note.end for note in whole)
    assert len(begun) < 0.6 * len(whole)

    def heard(notes):
        return [(n.start, min(n.end, until), n.pitch, n.part) for n in notes if n.start < until]

    assert heard(begun) == heard(whole)


def test_a_tune_is_told_by_its_place_in_the_file(tmp_path):
    file = write_tune(tmp_path / "a.abc", "C2 D2", 7)
    write_tune(file, '"Am" E4', 7)
    assert [note.pitch for note in read_piece(file, 1, 10**6)[0]] == [60, 62]
    assert [note.pitch for note in read_piece(file, 2, 10**6)[0]] == [64]  # the name of a chord is not played


def test_a_tone_is_played_at_its_pitch_and_loudness(tmp_path):
    write_tune(tmp_path / "a.abc", "A4")
    sound = clips(tmp_path, ("a.abc", 1, 0)).sound(0)
    assert (sound.dtype, len(sound)) == (np.float32, SECONDS * SAMPLE_RATE)
    hertz = np.abs(np.fft.rfft(sound)).argmax() / SECONDS
    assert hertz == pytest.approx(440, abs=1)
    assert np.sqrt(np.square(sound).mean()) == pytest.approx(LEVEL, rel=1e-4)


def test_more_voices_are_not_louder(tmp_path):
    write_parts(tmp_path / "one.xml", [[("C4", 4)]])
    write_parts(tmp_path / "four.xml", [[("C4", 4)], [("E4", 4)], [("G4", 4)], [("C5", 4)]])
    make = clips(tmp_path, ("one.xml", 0, 0), ("four.xml", 0, 0))
    one, four = (np.square(make.sound(number)).mean() for number in (0, 1))
    assert one == pytest.approx(four, rel=1e-4)


def test_a_short_piece_is_repeated_till_the_clip_is_full(tmp_path):
    write_tune(tmp_path / "a.abc", "C")  # half a second of two
    make = clips(tmp_path, ("a.abc", 1, 0))
    struck = [
        (tick, event.note) for tick, event in make._events(0) if event.type == "note_on" and event.velocity
    ]
    assert struck == [(beat * TICKS_PER_BEAT, 60) for beat in range(4)]
    quarters = np.square(make.sound(0)).reshape(4, -1).mean(1)
    assert quarters.min() > 0.3 * quarters.max()
    assert make(0)["frames"] == 1 + round(SECONDS * SAMPLE_RATE) // 512


def test_a_minim_of_old_note_values_is_a_beat(tmp_path):
    write_parts(tmp_path / "new.xml", [[("C4", 1), ("D4", 1), ("E4", 2)]])
    write_parts(tmp_path / "old.xml", [[("C4", 2), ("D4", 2), ("E4", 4)]])
    new, old = CorpusPiece("new.xml", 0, ""), CorpusPiece("old.xml", 0, "", beat=2)
    make = replace(clips(tmp_path), clips=((new, 0), (old, 0)))
    np.testing.assert_array_equal(make.sound(0), make.sound(1))


def test_clips_follow_each_other(tmp_path):
    write_tune(tmp_path / "a.abc", "CDEF GABc defg")
    halves = clips(tmp_path, ("a.abc", 1, 0), ("a.abc", 1, 1))
    whole = clips(tmp_path, ("a.abc", 1, 0), seconds=2 * SECONDS)
    ticks = 4 * TICKS_PER_BEAT
    struck = [
        [(tick, event.note) for tick, event in found if event.type == "note_on" and event.velocity]
        for found in (halves._events(0), halves._events(1), whole._events(0))
    ]
    assert struck[0] + [(tick + ticks, note) for tick, note in struck[1]] == struck[2]


def test_features_are_those_of_the_sound_and_the_same_to_the_bit(tmp_path):
    write_tune(tmp_path / "a.abc", "CDEF GABc")
    make = clips(tmp_path, ("a.abc", 1, 0))
    made, again = make(0), pickle.loads(pickle.dumps(make))(0)
    assert made["digest"] == again["digest"]
    np.testing.assert_array_equal(made["features"], again["features"])
    kept = made["features"][:, : made["frames"]]
    np.testing.assert_allclose(kept, mel_and_chroma(make.sound(0)), atol=0.05)
    assert clips(tmp_path, ("a.abc", 1, 0), program=19)(0)["digest"] != made["digest"]
    assert clips(tmp_path, ("a.abc", 1, 0), bpm=100)(0)["digest"] != made["digest"]


def test_a_midi_file_has_the_notes_at_their_times(tmp_path):
    write_parts(tmp_path / "a.xml", [[("C5", 1), ("D5", 3)], [("C3", 4)]])
    clips(tmp_path, ("a.xml", 0, 0), bpm=80, program=19, seconds=3.0).midi(0).save(tmp_path / "a.mid")
    instruments = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).instruments
    assert {instrument.program for instrument in instruments} == {19}
    notes = sorted((n.start, n.end, n.pitch, n.velocity) for part in instruments for n in part.notes)
    assert notes == [pytest.approx(note) for note in [(0, 0.75, 72, 80), (0, 3, 48, 80), (0.75, 3, 74, 80)]]


def test_what_cannot_be_used_has_a_reason_and_no_frame(tmp_path):
    (tmp_path / "broken.xml").write_text("<score-partwise")
    write_parts(tmp_path / "rests.xml", [[("rest", 4)]])
    write_parts(tmp_path / "fine.xml", [[("C4", 4)]])
    make = clips(tmp_path, ("broken.xml", 0, 0), ("rests.xml", 0, 0), ("fine.xml", 0, 0))
    assert make.problem(0).startswith("music21 cannot read it (")
    assert make.problem(1) == "has no notes"
    assert make.problem(2) == ""
    assert [make(number)["frames"] > 0 for number in range(3)] == [False, False, True]
    with pytest.raises(UserError, match="no notes"):
        make.sound(1)
