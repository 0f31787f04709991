import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.metrics.music import distances, measures, summarise

MUSPY = {
    (1, False): {
        "pitch_class_entropy": 1.7758589482,
        "scale_consistency": 0.9230769231,
        "n_pitches_used": 6,
        "pitch_range": 24,
        "polyphony": 1.88,
        "polyphony_rate": 0.1,
        "empty_beat_rate": 0.1818181818,
        "groove_consistency": 0.7222222222,
    },
    (1, True): {
        "pitch_class_entropy": 1.8474201201,
        "scale_consistency": 0.8947368421,
        "n_pitches_used": 6,
        "pitch_range": 24,
        "polyphony": 1.88,
        "polyphony_rate": 0.1,
        "empty_beat_rate": 0.1818181818,
        "groove_consistency": 0.6111111111,
    },
    (2, False): {
        "pitch_class_entropy": 2.5025980682,
        "scale_consistency": 0.8947368421,
        "n_pitches_used": 11,
        "pitch_range": 27,
        "polyphony": 1.8518518519,
        "polyphony_rate": 0.125,
        "empty_beat_rate": 0.1818181818,
        "groove_consistency": 0.6666666667,
    },
    (2, True): {
        "pitch_class_entropy": 2.5274955438,
        "scale_consistency": 0.9047619048,
        "n_pitches_used": 11,
        "pitch_range": 27,
        "polyphony": 1.8518518519,
        "polyphony_rate": 0.125,
        "empty_beat_rate": 0.1818181818,
        "groove_consistency": 0.6111111111,
    },
}
"""muspy 0.5.0 (numpy 2.4) on `piece(seed)`, lowest key 48, resolution 4, measures of 12 steps: each note a
`muspy.Note(time, pitch, duration)` from its onset to the next onset or the end, all in one `muspy.Track`."""


def piece(seed):
    """40 steps of 30 keys with a silence of 12 steps, and onsets that strike held keys every six steps."""
    sounding = np.zeros((40, 30), dtype=bool)
    for note in range(24):
        key, step = (7 * note + seed * note * note) % 30, (5 * note + seed * 3) % 40
        sounding[step : step + 1 + (note * seed) % 6, key] = True
    sounding[8:20] = False
    sounding[-1, 0] = True
    onsets = sounding.copy()
    onsets[1:] &= ~sounding[:-1]
    onsets[::6] |= sounding[::6]
    return sounding, onsets


def roll(n_steps, *notes, n_notes=24):
    """Notes are (key, start, end)."""
    sounding = np.zeros((n_steps, n_notes), dtype=bool)
    for key, start, end in notes:
        sounding[start:end, key] = True
    return sounding


def measure(name, sounding, onsets=None, steps_per_beat=4, beats_per_bar=4):
    return measures(sounding, onsets, steps_per_beat=steps_per_beat, beats_per_bar=beats_per_bar)[name]


@pytest.mark.parametrize(("seed", "restruck"), MUSPY)
def test_agrees_with_muspy(seed, restruck):
    sounding, onsets = piece(seed)
    found = measures(sounding, onsets if restruck else None, steps_per_beat=4, beats_per_bar=3)
    expected = MUSPY[seed, restruck]
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_entropy_counts_notes_and_not_steps():
    sounding = roll(9, (0, 0, 6), (2, 6, 7), (14, 8, 9), (0, 8, 9))
    assert measure("pitch_class_entropy", sounding) == pytest.approx(1)


def test_scale_consistency_of_a_major_scale_with_one_wrong_note():
    scale = [(key, step, step + 1) for step, key in enumerate((3, 5, 7, 8, 10, 12, 14))]
    assert measure("scale_consistency", roll(8, *scale)) == 1
    assert measure("scale_consistency", roll(8, *scale, (4, 7, 8))) == pytest.approx(7 / 8)


def test_polyphony_leaves_silent_steps_out():
    assert measure("polyphony", roll(10, (0, 0, 4), (4, 0, 2))) == pytest.approx(1.5)


def test_polyphony_rate_counts_three_keys_and_more():
    sounding = roll(10, (0, 0, 5), (4, 0, 5), (7, 3, 5))
    assert measure("polyphony_rate", sounding) == pytest.approx(0.2)


def test_silence_is_the_share_of_silent_steps():
    assert measure("silence", roll(10, (0, 2, 4), (4, 3, 5))) == pytest.approx(0.7)


def test_empty_beats_of_a_piece_that_falls_silent():
    """Of beats 0–4, beat 1 holds the end of the note; 2 to 4 hold nothing."""
    assert measure("empty_beat_rate", roll(18, (0, 0, 4))) == pytest.approx(3 / 5)


def test_groove_of_bars_that_differ_in_one_onset():
    """Bars of four steps with onsets at 0 and 2, at 0, and at 0: distances 1/4 and 0."""
    sounding = roll(11, (0, 0, 1), (0, 2, 3), (3, 4, 5), (0, 8, 11))
    assert measure("groove_consistency", sounding, steps_per_beat=2, beats_per_bar=2) == pytest.approx(7 / 8)


def test_struck_key_is_a_note_of_its_own():
    sounding, onsets = roll(12, (0, 0, 12)), roll(12, (0, 0, 1), (0, 4, 5), (0, 8, 9))
    assert measure("note_length", sounding) == 12
    assert measure("note_length", sounding, onsets) == 4


def test_onset_of_a_silent_key_is_no_note():
    sounding = roll(8, (0, 0, 8))
    assert measures(sounding, roll(8, (0, 0, 1), (5, 3, 4)), steps_per_beat=2) == measures(
        sounding, None, steps_per_beat=2
    )


def test_key_that_begins_to_sound_is_a_note_without_its_onset_too():
    sounding = roll(8, (0, 0, 3), (7, 4, 8))
    assert measures(sounding, np.zeros_like(sounding), steps_per_beat=2) == measures(
        sounding, None, steps_per_beat=2
    )


def test_without_beats_what_needs_them_is_left_out():
    sounding, onsets = piece(1)
    with_beats = measures(sounding, onsets, steps_per_beat=4)
    without = measures(sounding, onsets, steps_per_beat=None)
    assert with_beats.keys() - without.keys() == {"empty_beat_rate", "groove_consistency"}
    assert all(with_beats[name] == value for name, value in without.items())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_steps", [0, 1, 40])
def test_silence_has_no_harmony_and_no_warning(n_steps):
    found = measures(roll(n_steps), None, steps_per_beat=4)
    assert math.isnan(found["pitch_class_entropy"])
    assert math.isnan(found["scale_consistency"])
    assert math.isnan(found["polyphony"])
    assert found["n_pitches_used"] == found["pitch_range"] == 0


def test_less_than_two_bars_have_no_groove():
    assert math.isnan(measure("groove_consistency", roll(15, (0, 0, 15))))


@given(shift=st.integers(0, 11), seed=st.integers(0, 50))
def test_transposition_changes_nothing(shift, seed):
    sounding = np.random.default_rng(seed).random((20, 30)) < 0.1
    higher = np.hstack([np.zeros((20, shift), dtype=bool), sounding])
    assert measures(higher, None, steps_per_beat=2) == pytest.approx(
        measures(sounding, None, steps_per_beat=2), nan_ok=True
    )


def test_summary_leaves_out_the_pieces_without_a_measure():
    pieces = [{"a": 1.0, "b": math.nan}, {"a": 3.0, "b": 5.0}]
    assert summarise(pieces) == {"a": 2, "b": 5}


def test_measure_of_no_piece_is_left_out_of_plain_json():
    found = summarise([{"a": 1.0, "b": math.nan}])
    assert json.loads(json.dumps(found, allow_nan=False)) == {"a": 1}


def test_distance_of_shifted_pieces_is_the_shift_in_standard_deviations():
    held_out = [{"a": value} for value in (1.0, 3.0)]
    generated = [{"a": value} for value in (3.0, 1.5)]
    assert distances(generated, held_out) == {"a_distance": pytest.approx(0.25)}


@given(values=st.lists(st.floats(-100, 100), min_size=2, max_size=8).filter(lambda v: np.ptp(v) > 0.1))
def test_distance_equals_the_gap_between_sorted_values(values):
    """With as many pieces on both sides, Wasserstein-1 is the mean gap between the sorted values."""
    generated = [abs(value) for value in values]
    gap = np.abs(np.sort(generated) - np.sort(values)).mean()
    found = distances([{"a": value} for value in generated], [{"a": value} for value in values])
    assert found["a_distance"] == pytest.approx(gap / np.std(values), abs=1e-9)


def test_distance_has_no_unit():
    rng = np.random.default_rng(0)
    sides = rng.random((2, 9))
    one, other = (
        distances(*([{"a": factor * value} for value in side] for side in sides)) for factor in (1.0, 24.0)
    )
    assert one == pytest.approx(other)


def test_distance_leaves_out_what_held_out_pieces_cannot_scale():
    generated = [{"a": 1.0, "b": 1.0, "c": math.nan}, {"a": 2.0, "b": math.nan, "c": math.nan}]
    held_out = [{"a": 0.1 + 0.2, "b": 1.0, "c": 1.0}, {"a": 0.3, "b": 3.0, "c": 2.0}]
    assert distances(generated, held_out) == {"b_distance": pytest.approx(1)}
