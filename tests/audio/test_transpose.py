import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from src.audio.transpose import Transpose
from src.errors import UserError

KEYS = 12
LENGTHS = torch.tensor([5])


def shifted(roll, shift):
    """Move a roll (T, KEYS) by padding and cutting; None where a note would be lost."""
    roll = np.asarray(roll)
    padded = np.pad(roll, ((0, 0), (KEYS, KEYS)))
    moved = padded[:, KEYS - shift : 2 * KEYS - shift]
    return moved if moved.sum() == roll.sum() else None


def rolls(seed, count=8, density=0.05):
    drawn = np.random.default_rng(seed).random((count, 5, KEYS)) < density
    return torch.from_numpy(drawn).float()


def one_note(key, count):
    x = torch.zeros(count, 3, KEYS)
    x[:, 1, key] = 1
    return x


def moved_to(key, count, semitones, share=1.0, seed=1):
    torch.manual_seed(seed)
    x = Transpose(semitones, share, False)(one_note(key, count), LENGTHS)[0]
    assert torch.equal(x.sum((1, 2)), torch.ones(count))
    return x[:, 1].argmax(1).numpy() - key


@given(st.integers(0, 10**6), st.integers(0, 30), st.floats(0.01, 0.6))
def test_a_roll_is_moved_as_a_whole_and_loses_no_note(seed, semitones, density):
    torch.manual_seed(seed)
    x = rolls(seed, density=density)
    for before, after in zip(x, Transpose(semitones, 1.0, False)(x, LENGTHS)[0], strict=True):
        reach = min(semitones, KEYS)
        candidates = [shifted(before, shift) for shift in range(-reach, reach + 1)]
        assert any(found is not None and np.array_equal(found, after) for found in candidates)


def test_all_distances_are_as_likely():
    shifts = moved_to(key=6, count=7000, semitones=3)
    values, counts = np.unique(shifts, return_counts=True)
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert chisquare(counts).pvalue > 1e-4


def test_a_share_of_the_rolls_is_moved():
    moved = np.count_nonzero(moved_to(key=6, count=5000, semitones=2, share=0.3))
    low, high = binom.interval(1 - 1e-5, 5000, 0.3 * 4 / 5)
    assert low <= moved <= high


@pytest.mark.parametrize(("key", "least", "most"), [(0, 0, 5), (2, -2, 5), (11, -5, 0)])
def test_notes_at_the_edge_move_only_inwards(key, least, most):
    shifts = moved_to(key, count=500, semitones=5)
    assert (shifts.min(), shifts.max()) == (least, most)


def test_rolls_of_a_batch_move_apart():
    assert len(set(moved_to(key=6, count=50, semitones=3).tolist())) > 1


@pytest.mark.parametrize(("semitones", "share"), [(0, 1.0), (6, 0.0)])
def test_nothing_moves_without_distance_or_share(semitones, share):
    x = rolls(1)
    assert torch.equal(Transpose(semitones, share, False)(x, LENGTHS)[0], x)


def test_a_roll_that_uses_all_keys_stays():
    x = torch.ones(4, 5, KEYS)
    assert torch.equal(Transpose(6, 1.0, False)(x, LENGTHS)[0], x)


def test_onsets_move_with_their_keys():
    torch.manual_seed(1)
    sounding = rolls(2, count=40)
    onsets = sounding * (rolls(3, count=40, density=0.5) > 0)
    moved = Transpose(3, 1.0, True)(torch.cat([sounding, onsets], -1), LENGTHS)[0]
    seen = set()
    for keys, struck, after in zip(sounding, onsets, moved, strict=True):
        fits = [
            shift
            for shift in range(-3, 4)
            if (found := shifted(keys, shift)) is not None
            and np.array_equal(found, after[:, :KEYS])
            and np.array_equal(shifted(struck, shift), after[:, KEYS:])
        ]
        assert fits
        seen.update(fits)
    assert len(seen) > 1


def test_empty_rolls_stay_empty():
    x = torch.zeros(20, 5, 2 * KEYS)
    assert torch.equal(Transpose(20, 1.0, True)(x, LENGTHS)[0], x)


def test_lengths_stay():
    lengths = torch.tensor([5, 3])
    assert Transpose(3, 1.0, False)(rolls(1, count=2), lengths)[1] is lengths


@pytest.mark.parametrize(("semitones", "share"), [(-1, 0.5), (1.5, 0.5), (2, -0.1), (2, 1.1), (2, np.nan)])
def test_options_outside_their_range_are_refused(semitones, share):
    with pytest.raises(UserError, match=r"^augment\.transpose\.[^\n]+$"):
        Transpose(semitones, share, False)
