import numpy as np

from src.datamodules.rolls.piece import sketch
from src.splitting.near_duplicates import links_of_near_duplicates
from tests.datamodules.rolls.slow_rolls import roll


def test_nearly_identical_pieces_are_linked():
    whole = roll(300, seed=1)
    changed = whole.copy()
    changed[[50, 200], 3] ^= True
    sketches = [sketch(np.packbits(columns, axis=1)) for columns in (whole, changed, roll(300, seed=2))]
    assert links_of_near_duplicates(["1", "2", "3"], sketches) == [(0, 1)]


def test_of_identical_pieces_the_first_speaks_for_all():
    sketches = [np.arange(64, dtype=np.uint64)] * 3
    assert links_of_near_duplicates(["1", "1", "2"], sketches) == [(0, 2)]


def test_pieces_that_share_less_than_half_stay_apart():
    sketches = [np.arange(64, dtype=np.uint64), np.arange(33, 97, dtype=np.uint64)]
    assert links_of_near_duplicates(["1", "2"], sketches) == []


def test_a_passage_in_very_many_pieces_links_none():
    sketches = [np.array([7, 1000 + n], np.uint64) for n in range(300)]
    assert links_of_near_duplicates([str(n) for n in range(300)], sketches) == []
