import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.rolls.batches import (
    MOST_COLUMNS,
    RollDataset,
    TrainingStretches,
    WholePieces,
    roll_loader,
)

LENGTHS = st.lists(st.integers(2, 300), min_size=1, max_size=30)
N_STEPS = st.integers(1, 150)


def training(lengths, *, epoch: int = 0, **options) -> TrainingStretches:
    lengths = np.array(lengths, np.int64)
    defaults = {"n_steps": None, "batch_size": 1, "seed": 1}
    stretches = TrainingStretches(np.cumsum(lengths) - lengths, lengths, **{**defaults, **options})
    stretches.set_epoch(epoch)
    return stretches


def flat(stretches) -> list[tuple[int, int]]:
    return [(int(start), int(length)) for batch in stretches for start, length in batch]


def piece_of(start: int, lengths: list[int]) -> int:
    return int(np.searchsorted(np.cumsum(lengths), start, side="right"))


@given(LENGTHS, N_STEPS, st.integers(0, 20))
def test_each_piece_gives_as_many_windows_as_fit(lengths, n_steps, epoch):
    windows = flat(training(lengths, n_steps=n_steps, epoch=epoch))
    counts = Counter(piece_of(start, lengths) for start, _ in windows)
    assert counts == {piece: max(1, (length - 1) // n_steps) for piece, length in enumerate(lengths)}


@given(LENGTHS, N_STEPS, st.integers(0, 20))
def test_windows_have_their_length_and_stay_inside_their_piece(lengths, n_steps, epoch):
    ends = np.cumsum(lengths)
    for start, length in flat(training(lengths, n_steps=n_steps, epoch=epoch)):
        piece = piece_of(start, lengths)
        assert length == min(n_steps + 1, lengths[piece])
        assert start + length <= ends[piece]


@given(LENGTHS, N_STEPS)
def test_windows_of_a_piece_share_one_column_with_the_next(lengths, n_steps):
    windows = sorted(flat(training(lengths, n_steps=n_steps)))
    for (start, length), (following, _) in itertools.pairwise(windows):
        if piece_of(start, lengths) == piece_of(following, lengths):
            assert following == start + length - 1


def test_every_column_is_predicted_in_time():
    predicted = {
        column
        for epoch in range(60)
        for start, length in flat(training([26], n_steps=10, epoch=epoch))
        for column in range(start + 1, start + length)
    }
    assert predicted == set(range(1, 26))


@given(LENGTHS, st.one_of(st.none(), N_STEPS), st.integers(1, 8), st.integers(1, 4))
def test_processes_get_as_many_batches_each_epoch_and_no_item_twice(lengths, n_steps, batch_size, world):
    ranks = [
        training(lengths, n_steps=n_steps, batch_size=batch_size, rank=rank, world_size=world, epoch=3)
        for rank in range(world)
    ]
    batches = [list(rank) for rank in ranks]
    assert {len(one) for one in batches} == {len(rank) for rank in ranks}
    assert len({tuple(map(len, one)) for one in batches}) == 1
    assert all(len(batch) >= 1 for one in batches for batch in one)
    items = [item for rank in ranks for item in flat(rank)]
    if ranks[0].n_items >= world:
        assert len(set(items)) == len(items)
    assert len(items) >= min(ranks[0].n_items // world * world, len(ranks[0]) * batch_size * world)


@pytest.mark.parametrize("n_steps", [None, 40])
def test_order_depends_on_seed_and_epoch_only(n_steps):
    lengths = list(range(2, 80))
    first = flat(training(lengths, n_steps=n_steps, batch_size=4))
    assert flat(training(lengths, n_steps=n_steps, batch_size=4)) == first
    assert flat(training(lengths, n_steps=n_steps, batch_size=4, epoch=1)) != first
    assert flat(training(lengths, n_steps=n_steps, batch_size=4, seed=2)) != first


def test_whole_pieces_come_with_pieces_of_like_length():
    lengths = np.random.default_rng(0).permutation(np.arange(10, 1010, 5)).tolist()
    batches = list(training(lengths, batch_size=8))
    padded = sum(len(batch) * batch[:, 1].max() for batch in batches)
    assert padded < 1.35 * sum(batch[:, 1].sum() for batch in batches)
    means = [batch[:, 1].mean() for batch in batches]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.6


@given(st.lists(st.integers(2, 3 * MOST_COLUMNS), min_size=1, max_size=60))
def test_whole_pieces_come_in_order_and_fit_a_batch(lengths):
    lengths = np.array(lengths, np.int64)
    starts = np.cumsum(lengths) - lengths
    pieces = WholePieces(starts, lengths)
    batches = list(pieces)
    assert len(batches) == len(pieces)
    np.testing.assert_array_equal(np.concatenate(batches), np.stack([starts, lengths], axis=1))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * batch[:, 1].max() <= MOST_COLUMNS


@pytest.mark.parametrize("n_notes", [12, 84, 88])
def test_dataset_gives_padded_rolls(n_notes):
    columns = np.random.default_rng(0).random((50, n_notes)) < 0.2
    dataset = RollDataset((np.packbits(columns, axis=1),), n_notes)
    rolls, lengths = dataset[np.array([[3, 10], [40, 7]])]
    assert (rolls.dtype, rolls.shape) == (torch.uint8, (2, 10, n_notes))
    assert lengths.tolist() == [10, 7]
    np.testing.assert_array_equal(rolls[0], columns[3:13])
    np.testing.assert_array_equal(rolls[1, :7], columns[40:47])
    assert not rolls[1, 7:].any()


def test_dataset_puts_onsets_beside_sounding_keys():
    sounding, onsets = np.ones((9, 12), bool), np.zeros((9, 12), bool)
    dataset = RollDataset((np.packbits(sounding, axis=1), np.packbits(onsets, axis=1)), 12)
    rolls, _ = dataset[np.array([[0, 9]])]
    assert rolls.shape == (1, 9, 24)
    assert rolls[..., :12].all()
    assert not rolls[..., 12:].any()


def test_loader_gives_a_batch_for_each_of_the_sampler():
    columns = np.random.default_rng(0).random((90, 12)) < 0.2
    lengths = np.array([30, 30, 30], np.int64)
    batches = WholePieces(np.array([0, 30, 60]), lengths)
    (rolls, found), *others = list(roll_loader(RollDataset((np.packbits(columns, axis=1),), 12), batches))
    assert not others
    assert found.tolist() == [30, 30, 30]
    np.testing.assert_array_equal(rolls.reshape(90, 12), columns)
