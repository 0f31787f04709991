import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.rolls.piece import SKETCH_SIZE, sketch, unpack
from tests.datamodules.rolls.slow_rolls import roll


def packed(columns: np.ndarray) -> np.ndarray:
    return np.packbits(columns, axis=1)


def share(one: np.ndarray, other: np.ndarray) -> float:
    return len(np.intersect1d(sketch(packed(one)), sketch(packed(other)))) / SKETCH_SIZE


@given(st.integers(0, 10), st.integers(1, 128))
def test_unpack_undoes_packbits(length, n_notes):
    columns = np.random.default_rng(length).random((length, n_notes)) < 0.3
    np.testing.assert_array_equal(unpack(packed(columns), n_notes), columns)


def test_sketch_is_the_same_at_half_the_tempo():
    columns = roll(200, seed=1)
    assert share(columns, np.repeat(columns, 2, axis=0)) == 1


def test_sketch_of_other_music_shares_nothing():
    assert share(roll(500, seed=1), roll(500, seed=2)) == 0


def test_shared_part_of_sketches_is_the_resemblance_of_the_pieces():
    whole = roll(2000, seed=1)
    mixed = np.concatenate([whole[:1000], roll(1000, seed=2)])
    both = np.union1d(sketch(packed(whole)), sketch(packed(mixed)))[:SKETCH_SIZE]
    common = np.intersect1d(sketch(packed(whole)), sketch(packed(mixed)))
    assert len(np.intersect1d(both, common)) / SKETCH_SIZE == pytest.approx(1 / 3, abs=0.15)  # 1000 of 3000


@pytest.mark.parametrize("length", [0, 2, 7])
def test_sketch_of_a_short_piece_is_empty(length):
    assert len(sketch(packed(roll(length, seed=1)))) == 0
