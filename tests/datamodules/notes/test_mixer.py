"""Mixtures against sums made by hand from the files that their notes were stored from."""

import math
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from src.datamodules.notes.mixer import Mixer
from src.datamodules.sound_batches import FreshBatches, ShiftedSounds, SoundDataset, sound_loader
from src.errors import UserError
from tests.datamodules.notes.tiny_notes import noise_store, options

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = 400
LENGTHS = [150, 400, 90, 700, 399, 401, 250, 60, 900, 500, 333, 444]
CLASSES = [np.array(numbers) for numbers in ([0, 1, 2], [3, 4], [5], [6, 7, 8, 9], [10, 11])]
CLASS_OF = {int(note): label for label, notes in enumerate(CLASSES) for note in notes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("noise")


@pytest.fixture(scope="module")
def store(folder):
    return noise_store(folder, LENGTHS, 800)


@pytest.fixture(scope="module")
def mixer(store):
    """Makes mixers with options changed."""

    def make(classes=CLASSES, seed=1, stream=0, **changes):
        return Mixer(store, classes, options(**changes), seed, stream)

    return make


def recorded(folder: Path, note: int, position: float) -> np.ndarray:
    """The excerpt of a note that a mixture has, from its file, followed by silence."""
    sound = soundfile.read(folder / f"{note}.wav", dtype="float64")[0][:800]
    start = int(position * max(len(sound) - SAMPLES - 2, 0))
    excerpt = sound[start : start + SAMPLES]
    return np.pad(excerpt, (0, SAMPLES - len(excerpt)))


def test_a_mixture_is_the_sum_of_its_notes_over_their_number(mixer, folder):
    for n_sources in (1, 2, 5):
        made = mixer(n_sources=(n_sources,))
        sounds, labels = made(np.arange(20))
        assert (sounds.dtype, sounds.shape) == (np.float32, (20, SAMPLES))
        assert (labels.dtype, labels.shape) == (np.uint8, (20, 5))
        for index in range(20):
            sources = made.draw(index)
            assert len(sources) == n_sources
            parts = [recorded(folder, source.note, source.position) for source in sources]
            np.testing.assert_allclose(sounds[index], np.sum(parts, axis=0) / n_sources, atol=3e-5)
            assert set(np.flatnonzero(labels[index])) == {CLASS_OF[source.note] for source in sources}


def test_gains_are_in_decibels(mixer, folder):
    made = mixer(n_sources=(2,), gain_db=(-12.0, 6.0))
    sounds, _ = made(np.arange(10))
    gains = []
    for index in range(10):
        sources = made.draw(index)
        gains += [20 * math.log10(source.gain) for source in sources]
        parts = [source.gain * recorded(folder, source.note, source.position) for source in sources]
        np.testing.assert_allclose(sounds[index], np.sum(parts, axis=0) / 2, atol=6e-5)
    assert -12 <= min(gains) < -6
    assert 1 < max(gains) <= 6


def test_equal_levels_have_the_same_root_mean_square(mixer, folder):
    made = mixer(n_sources=(1,), level="equal")
    sounds, _ = made(np.arange(40))
    for index in range(40):
        [source] = made.draw(index)
        length = min(min(LENGTHS[source.note], 800), SAMPLES)
        excerpt = sounds[index, :length].astype(float)
        assert np.sqrt(np.mean(excerpt**2)) == pytest.approx(0.1, rel=1e-4)
        expected = recorded(folder, source.note, source.position)
        assert np.corrcoef(excerpt, expected[:length])[0, 1] > 0.9999


def test_a_mixture_is_the_same_whatever_batch_order_or_process_asks(mixer, store):
    made = mixer(gain_db=(-6.0, 6.0), detune=1.0, n_sources=(1, 2, 3))
    sounds, labels = made(np.arange(32))
    one_by_one = [made(np.array([index])) for index in reversed(range(32))][::-1]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in one_by_one]), sounds)
    np.testing.assert_array_equal(np.concatenate([y for _, y in one_by_one]), labels)
    copy = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(copy(np.array([7, 3]))[0], sounds[[7, 3]])
    code = (
        "import sys, pickle, numpy; made = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(made(numpy.array([5]))[0].tobytes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(made), capture_output=True, cwd=ROOT, check=True
    )
    assert done.stdout == sounds[5].tobytes()


@pytest.mark.parametrize("loaders", [0, 1, 2])
def test_loaders_give_the_batches_that_their_numbers_say(mixer, loaders):
    made = mixer()
    batches = FreshBatches(24, 4, seed=3)
    loaded = sound_loader(SoundDataset(made), batches, loaders)
    for epoch in (0, 2):
        batches.set_epoch(epoch)
        expected = list(batches)
        found = list(loaded)
        assert len(found) == len(expected) == len(loaded) == 6
        for numbers, (sounds, labels) in zip(expected, found, strict=True):
            np.testing.assert_array_equal(sounds.numpy(), made(numbers)[0])
            np.testing.assert_array_equal(labels.numpy(), made(numbers)[1])


def test_every_epoch_has_mixtures_that_none_before_had():
    batches = FreshBatches(24, 5, seed=3)
    seen: set[int] = set()
    for epoch in range(4):
        batches.set_epoch(epoch)
        numbers = np.concatenate(list(batches)).tolist()
        assert len(set(numbers)) == 20
        assert set(numbers) <= set(range(24 * epoch, 24 * (epoch + 1)))
        assert not seen & set(numbers)
        seen |= set(numbers)


def test_processes_that_train_together_share_the_mixtures():
    parts = []
    for rank in range(2):
        batches = FreshBatches(24, 4, 3, rank, 2)
        batches.set_epoch(5)
        parts.append(set(np.concatenate(list(batches)).tolist()))
    assert parts[0] | parts[1] == set(range(120, 144))
    assert not parts[0] & parts[1]


@pytest.mark.parametrize(
    "changes",
    [{"gain_db": (-30.0, 30.0)}, {"detune": 2.0}, {"level": "equal"}, {"samples": 100}],
)
def test_another_option_changes_no_note(mixer, changes):
    one, other = mixer(), mixer(**changes)
    for index in range(50):
        notes = [(source.note, source.position) for source in one.draw(index)]
        assert [(source.note, source.position) for source in other.draw(index)] == notes


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**40), stream=st.integers(0, 2), index=st.integers(0, 2**40),
    n_sources=st.integers(1, 5), distinct=st.booleans(),
)  # fmt: skip
def test_distinct_means_no_instrument_twice(mixer, seed, stream, index, n_sources, distinct):
    made = mixer(seed=seed, stream=stream, n_sources=(n_sources,), distinct=distinct)
    sources = made.draw(index)
    found = [CLASS_OF[source.note] for source in sources]
    assert len(found) == n_sources
    if distinct:
        assert len(set(found)) == n_sources
    assert all(0 <= source.position < 1 for source in sources)
    marks = made.marks(np.array([index]))[0]
    assert set(np.flatnonzero(marks)) == set(found)


def test_repeated_instruments_are_judged_as_a_set(mixer):
    made = mixer(n_sources=(4,), distinct=False)
    labels = made.marks(np.arange(200))
    sizes = labels.sum(axis=1)
    assert labels.max() == 1
    assert set(sizes) == {1, 2, 3, 4}
    np.testing.assert_array_equal(made(np.arange(200))[1], labels)


def test_a_huge_number_is_as_good_as_a_small_one(mixer):
    made = mixer()
    huge = made(np.array([2**40, 2**40 + 1]))[0]
    assert np.abs(huge).max() > 0
    assert (huge[0] != huge[1]).any()
    np.testing.assert_array_equal(made(np.array([2**40]))[0][0], huge[0])


def test_seeds_and_parts_make_other_mixtures(mixer):
    def drawn(**changes):
        return [tuple(source.note for source in mixer(**changes).draw(index)) for index in range(200)]

    usual = drawn()
    for other in (drawn(seed=2), drawn(stream=1), drawn(stream=2)):
        assert np.mean([one == two for one, two in zip(usual, other, strict=True)]) < 0.1


def test_instruments_numbers_and_notes_are_uniform(mixer):
    count = 4000
    made = mixer(n_sources=(1, 3))
    drawn = [made.draw(index) for index in range(count)]
    sizes = np.array([len(sources) for sources in drawn])
    assert scipy.stats.binomtest(int((sizes == 1).sum()), count, 0.5).pvalue > 1e-4
    notes = np.array([source.note for sources in drawn for source in sources])
    of_class = np.bincount([CLASS_OF[int(note)] for note in notes])
    assert scipy.stats.chisquare(of_class).pvalue > 1e-4
    for numbers in CLASSES[:2]:
        assert scipy.stats.chisquare([(notes == number).sum() for number in numbers]).pvalue > 1e-4
    positions = [source.position for sources in drawn for source in sources]
    assert scipy.stats.kstest(positions, "uniform").pvalue > 1e-4


def test_notes_that_may_repeat_are_drawn_from_all_alike(mixer):
    made = mixer(n_sources=(2,), distinct=False)
    notes = [source.note for index in range(4000) for source in made.draw(index)]
    assert scipy.stats.chisquare(np.bincount(notes)).pvalue > 1e-4


def test_speeds_are_within_the_detuning_and_uniform_in_semitones(mixer):
    made = mixer(detune=0.5)
    semitones = [12 * math.log2(source.speed) for index in range(1000) for source in made.draw(index)]
    assert scipy.stats.kstest(semitones, scipy.stats.uniform(-0.5, 1).cdf).pvalue > 1e-4


def test_each_note_is_played_at_its_own_speed(mixer, folder):
    made = mixer(n_sources=(2,), detune=3.0)
    sounds, _ = made(np.arange(20))
    for index in range(20):
        expected, sources = np.zeros(SAMPLES), made.draw(index)
        assert sources[0].speed != sources[1].speed
        for source in sources:
            sound = soundfile.read(folder / f"{source.note}.wav", dtype="float64")[0][:800]
            wanted = math.ceil(SAMPLES * source.speed) + 2
            start = int(source.position * max(len(sound) - wanted, 0))
            places = np.arange(int((len(sound[start:][:wanted]) - 2) / source.speed) + 1)[:SAMPLES]
            expected[: len(places)] += np.interp(
                places * source.speed, np.arange(len(sound) - start), sound[start:]
            )
        np.testing.assert_allclose(sounds[index], expected / 2, atol=1e-4)


def test_a_long_note_fills_the_mixture_at_any_speed(mixer):
    made = mixer(classes=[np.array([8])], n_sources=(1,), detune=12.0)
    sounds, _ = made(np.arange(100))
    speeds = np.array([made.draw(index)[0].speed for index in range(100)])
    enough = SAMPLES * speeds + 3 <= 800
    assert (sounds[enough] != 0).all()
    assert (sounds[:, : SAMPLES - 2] != 0).all()
    assert speeds.min() < 0.6
    assert speeds.max() > 1.8


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_sources": ()}, "n_sources"),
        ({"n_sources": (0, 1)}, "n_sources"),
        ({"level": "loud"}, "choose recorded or equal"),
        ({"gain_db": (3.0, -3.0)}, r"\[low, high\]"),
        ({"gain_db": (-61.0, 0.0)}, "-60 to 60"),
        ({"detune": -1.0}, "semitones"),
        ({"detune": 13.0}, "semitones"),
    ],
)
def test_impossible_options_are_refused(changes, says):
    with pytest.raises(UserError, match=says):
        options(**changes)


def test_items_are_heard_at_several_speeds(mixer):
    made = mixer()
    sounds, labels = made(np.arange(3))
    played, targets, counts = ShiftedSounds(made, (-12.0, 0.0, 12.0))[np.arange(3)]
    assert played.shape == (9, SAMPLES)
    assert counts.tolist() == [3, 3, 3]
    np.testing.assert_array_equal(targets, labels)
    for item, sound in enumerate(sounds):
        lower, same, higher = played[3 * item : 3 * item + 3].numpy()
        np.testing.assert_array_equal(same, sound)
        np.testing.assert_allclose(lower[::2][: SAMPLES // 2], sound[: SAMPLES // 2], atol=1e-6)
        half = (SAMPLES - 1) // 2
        np.testing.assert_allclose(higher[:half], sound[::2][:half], atol=1e-6)
        assert not higher[SAMPLES // 2 + 1 :].any()


def test_numbers_of_sources_are_whole(mixer):
    with pytest.raises(UserError, match="whole numbers"):
        mixer(n_sources=(1.5,))
