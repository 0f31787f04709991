import warnings

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from src.audio.notes import Notes, read_midi
from src.audio.roll import Grid, to_midi, to_roll
from src.errors import UserError


def seconds(rate, **options):
    return Grid(unit="seconds", rate=rate, **{"lowest_note": 0, "n_notes": 128, **options})


def beats(rate, **options):
    return Grid(unit="beats", rate=rate, **{"lowest_note": 0, "n_notes": 128, **options})


def piece(*played, ticks_per_beat=12):
    """Give the notes (pitch, start, end) of a piece, 120 beats a minute."""
    pitch, start, end = np.array(played, np.int64).reshape(-1, 3).T
    return Notes(
        pitch.astype(np.uint8),
        np.full(len(pitch), 64, np.uint8),
        start,
        end,
        ticks_per_beat,
        np.zeros(1, np.int64),
        np.array([0.5]),
    )


def places(array):
    return [tuple(place) for place in np.argwhere(array).tolist()]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("midi") / "piece.mid"


messages = st.lists(
    st.tuples(
        st.sampled_from(["note_on", "note_on", "note_off"]),
        st.integers(58, 61),
        st.sampled_from([0, 0, 3, 9]),
        st.sampled_from([0, 1, 7, 30, 111, 400]),
    ),
    min_size=2,
    max_size=25,
)
tempi = st.lists(st.tuples(st.integers(0, 300), st.integers(50_000, 1_500_000)), max_size=4)


def write(path, tempi, tracks, ticks_per_beat):
    """Write a file with a whole note and others that overlap, are struck twice or never end."""
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat)
    midi.tracks.append(
        mido.MidiTrack(mido.MetaMessage("set_tempo", tempo=us, time=time) for time, us in tempi)
    )
    for track in [[("note_on", 60, 5, 0), ("note_off", 60, 5, 500)], *tracks]:
        midi.tracks.append(
            mido.MidiTrack(
                mido.Message(kind, note=note, channel=channel, velocity=64, time=time)
                for kind, note, channel, time in track
            )
        )
    midi.save(path)


def read_by_pretty_midi(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pretty_midi.PrettyMIDI(str(path))


def assert_sounds_alike(sounding, reference):
    """Compare keys and steps; the reference lasts as long as its last event, drums included."""
    length = len(sounding)
    np.testing.assert_array_equal(sounding, reference[:length])
    assert not reference[length:].any()


@given(
    tempi,
    st.lists(messages, min_size=1, max_size=2),
    st.sampled_from([96, 480]),
    st.sampled_from([4, 20, 12.5, 100]),
)
@settings(max_examples=80)
def test_steps_of_a_second_are_those_of_pretty_midi(file, tempi, tracks, ticks_per_beat, rate):
    write(file, tempi, tracks, ticks_per_beat)
    notes = read_midi(file)
    reference = read_by_pretty_midi(file).get_piano_roll(fs=rate, pedal_threshold=None).T > 0
    assert_sounds_alike(to_roll(notes, seconds(rate, short_notes="drop"))[0], reference)


@given(
    tempi,
    st.lists(messages, min_size=1, max_size=2),
    st.sampled_from([96, 480]),
    st.sampled_from([1, 4, 12, 24]),
)
@settings(max_examples=80)
def test_steps_of_a_beat_follow_the_ticks_of_pretty_midi(file, tempi, tracks, ticks_per_beat, rate):
    write(file, tempi, tracks, ticks_per_beat)
    notes, midi = read_midi(file), read_by_pretty_midi(file)
    reference = np.zeros((4 * len(to_roll(notes, beats(rate))[0]), 128), bool)
    for note in (note for part in midi.instruments if not part.is_drum for note in part.notes):
        first, last = (midi.time_to_tick(time) * rate // ticks_per_beat for time in (note.start, note.end))
        reference[first:last, note.pitch] = True
    assert_sounds_alike(to_roll(notes, beats(rate, short_notes="drop"))[0], reference)


def test_a_tempo_change_moves_no_beat(file):
    track = [("note_on", 70, 0, 480), ("note_off", 70, 0, 480)]
    write(file, [(0, 500_000), (240, 123_456)], [track], 480)
    assert places(to_roll(read_midi(file), beats(2))[0][:, 70:71]) == [(2, 0), (3, 0)]


def test_steps_of_a_beat_are_exact_where_floats_are_not():
    notes = piece(*[(60, start, start + 1) for start in range(0, 3000, 2)], ticks_per_beat=49)
    onsets = to_roll(notes, beats(49))[1]
    assert np.flatnonzero(onsets[:, 60]).tolist() == list(range(0, 3000, 2))


@pytest.mark.parametrize(("short_notes", "expected"), [("keep", [(0, 60), (1, 62)]), ("drop", [(0, 60)])])
def test_a_note_within_a_step_is_kept_or_dropped(short_notes, expected):
    sounding, onsets = to_roll(piece((60, 0, 12), (62, 14, 20)), beats(1, short_notes=short_notes))
    assert places(sounding) == places(onsets) == expected


def test_a_note_that_is_struck_again_keeps_its_onset():
    sounding, onsets = to_roll(piece((60, 0, 12), (60, 12, 36)), beats(1))
    assert sounding[:, 60].tolist() == [True, True, True]
    assert onsets[:, 60].tolist() == [True, True, False]


def test_keys_out_of_range_are_left_out():
    sounding, _ = to_roll(piece((59, 0, 24), (60, 0, 12), (62, 0, 24)), beats(1, lowest_note=60, n_notes=2))
    assert sounding.tolist() == [[True, False]]


def test_no_key_in_range_gives_no_steps():
    sounding, onsets = to_roll(piece((20, 0, 12)), beats(1, lowest_note=24, n_notes=84))
    assert sounding.shape == onsets.shape == (0, 84)


def test_long_and_short_notes_of_a_key_overlap():
    sounding, _ = to_roll(piece((60, 0, 60), (60, 12, 24)), beats(1))
    assert sounding[:, 60].all()
    assert len(sounding) == 5


def test_types():
    for roll in to_roll(piece((60, 0, 12)), beats(1)):
        assert (roll.dtype, roll.shape) == (np.bool_, (1, 128))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "bars"}, "unit is 'bars'; choose one of beats, seconds"),
        ({"rate": 0}, "rate is 0"),
        ({"rate": 101}, "rate is 101"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"rate": 2.5}, "whole number of steps a beat"),
        ({"lowest_note": -1}, "lowest_note=-1"),
        ({"lowest_note": 100, "n_notes": 29}, "n_notes=29"),
        ({"n_notes": 0}, "n_notes=0"),
        ({"short_notes": "cut"}, "short_notes is 'cut'"),
    ],
)
def test_refuses_options_out_of_range(options, message):
    with pytest.raises(UserError, match=message):
        Grid(**{"unit": "beats", "rate": 4, **options})


def rolls(n_notes=4):
    """Give rolls that a piece can have: keys are struck where they start to sound, and may be struck again."""
    steps = st.lists(
        st.lists(st.sampled_from(["silent", "struck", "held"]), min_size=n_notes, max_size=n_notes),
        min_size=1,
        max_size=40,
    )
    return steps.map(lambda table: np.array(table, object)).map(_roll)


def _roll(table):
    sounding = table != "silent"
    before = np.roll(sounding, 1, axis=0)
    before[0] = False
    return sounding, sounding & ((table == "struck") | ~before)


GRIDS = [
    Grid(unit=unit, rate=rate, lowest_note=60, n_notes=4)
    for unit, rates in (("beats", (1, 4, 7, 24, 100)), ("seconds", (1, 10, 29, 100, 12.5, 43.06640625, 99.9)))
    for rate in rates
]


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: f"{grid.unit}-{grid.rate}")
@given(roll=rolls(), silence=st.sampled_from([0, 300, 12_000]))
@settings(max_examples=12)
def test_roll_to_midi_to_roll_is_the_same(file, grid, roll, silence):
    sounding, onsets = (np.concatenate([np.zeros((silence, 4), bool), part]) for part in roll)
    assume(sounding.any())
    to_midi(sounding, onsets, grid).save(file)
    again, onsets_again = to_roll(read_midi(file), grid)
    length = np.flatnonzero(sounding.any(1))[-1] + 1
    np.testing.assert_array_equal(again, sounding[:length])
    np.testing.assert_array_equal(onsets_again, onsets[:length])


@given(tempi, st.lists(messages, min_size=1, max_size=2), st.sampled_from(GRIDS))
@settings(max_examples=60)
def test_midi_to_roll_to_midi_to_roll_keeps_steps_and_onsets(file, tempi, tracks, grid):
    write(file, tempi, tracks, 480)
    sounding, onsets = to_roll(read_midi(file), grid)
    to_midi(sounding, onsets, grid).save(file)
    again, onsets_again = to_roll(read_midi(file), grid)
    np.testing.assert_array_equal(again, sounding)
    np.testing.assert_array_equal(onsets_again, onsets)


def test_without_onsets_a_key_is_struck_where_it_starts_to_sound():
    sounding = np.array([[1], [1], [0], [1]], bool)
    track = to_midi(sounding, None, beats(1, lowest_note=60, n_notes=1)).tracks[1]
    assert [m.type for m in track if not m.is_meta] == ["program_change"] + ["note_on", "note_off"] * 2


def test_midi_has_the_tempo_program_and_velocity_asked_for():
    midi = to_midi(np.ones((8, 1), bool), None, beats(4, n_notes=1), program=9, velocity=33, bpm=90)
    assert midi.type == 1
    assert midi.tracks[0][0].tempo == mido.bpm2tempo(90)
    assert [midi.tracks[1][0].program, midi.tracks[1][1].velocity] == [9, 33]


@pytest.mark.parametrize(("grid", "lasts"), [(beats(4), 5.0), (seconds(10), 4.0), (seconds(12.5), 3.2)])
def test_midi_lasts_all_steps(grid, lasts):
    sounding = np.zeros((40, 128), bool)
    sounding[2, 60] = True
    midi = to_midi(sounding, None, grid)
    assert midi.length == pytest.approx(lasts, abs=0.005)


def test_a_second_is_a_beat_of_a_grid_in_seconds():
    midi = to_midi(np.ones((50, 128), bool), None, seconds(50), bpm=90)
    assert midi.tracks[0][0].tempo == 1_000_000
    assert midi.ticks_per_beat % 50 == 0
