import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.datamodules.batches import (
    ArrayDataset,
    OrderedBatches,
    RecordingDataset,
    ShuffledBatches,
    WholeRecordings,
    loader,
)

SIZES = st.integers(1, 200)


@given(SIZES, st.integers(1, 64), st.integers(0, 1000), st.integers(0, 50))
def test_an_epoch_has_no_item_twice(n_items, batch_size, seed, epoch):
    batches = ShuffledBatches(n_items, batch_size, seed)
    batches.set_epoch(epoch)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    items = np.concatenate(drawn)
    assert len(set(items.tolist())) == len(items)
    assert len(items) == (n_items if n_items < batch_size else n_items // batch_size * batch_size)
    assert set(items.tolist()) <= set(range(n_items))


def test_order_depends_on_seed_and_epoch_only():
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = ShuffledBatches(100, 10, seed)
        list(batches)
        batches.set_epoch(epoch)
        return [batch.tolist() for batch in batches]

    assert order(1, 3) == order(1, 3)
    assert order(1, 3) != order(1, 4)
    assert order(1, 3) != order(2, 3)


def test_every_item_comes_first_as_often():
    firsts = np.concatenate([next(iter(ShuffledBatches(10, 5, seed))) for seed in range(2000)])
    np.testing.assert_allclose(np.bincount(firsts, minlength=10) / 2000, 0.5, atol=0.06)


@given(SIZES, st.integers(1, 32), st.integers(1, 5))
def test_processes_share_the_items(n_items, batch_size, world):
    ordered = [np.concatenate([[], *OrderedBatches(n_items, batch_size, r, world)]) for r in range(world)]
    assert sorted(np.concatenate(ordered).tolist()) == list(range(n_items))
    shuffled = [ShuffledBatches(n_items, batch_size, 1, r, world) for r in range(world)]
    assert len({len(batches) for batches in shuffled}) == 1
    if n_items >= world:
        items = np.concatenate([np.concatenate(list(batches)) for batches in shuffled]).tolist()
        assert len(set(items)) == len(items)


def test_ordered_batches_keep_the_last():
    assert [batch.tolist() for batch in OrderedBatches(5, 2)] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("batches", [OrderedBatches(7, 3), ShuffledBatches(7, 3, 1)])
def test_loader_gives_the_items_that_the_batch_names(batches):
    features = np.random.default_rng(0).normal(size=(7, 2, 3, 5)).astype(np.float16)
    targets = np.arange(14, dtype=np.uint8).reshape(7, 2)
    reader = loader(ArrayDataset(features, targets), batches)
    assert len(reader) == len(batches)
    for indices, (x, y) in zip(batches, reader, strict=True):
        assert x.shape == (len(indices), 2, 3, 5)
        assert (x.dtype, y.dtype) == (torch.float16, torch.uint8)
        np.testing.assert_array_equal(x.numpy(), features[indices])
        np.testing.assert_array_equal(y.numpy(), targets[indices])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 12))
def test_recordings_come_whole_and_in_order(counts, batch_size):
    counts = np.array(counts)
    batches = list(WholeRecordings(counts, batch_size))
    assert len(batches) == len(WholeRecordings(counts, batch_size))
    assert np.concatenate(batches).tolist() == list(range(len(counts)))
    assert all(counts[batch].sum() <= batch_size or len(batch) == 1 for batch in batches)
    for batch, following in itertools.pairwise(batches):
        assert counts[batch].sum() + counts[following[0]] > batch_size


def test_a_recording_has_all_its_windows_and_one_target():
    counts = np.array([2, 1, 3])
    features = np.random.default_rng(0).normal(size=(6, 1, 2, 5)).astype(np.float16)
    targets = np.repeat(np.arange(6).reshape(3, 2), counts, axis=0)
    reader = loader(RecordingDataset(features, targets, counts), WholeRecordings(counts, 3))
    first, second = reader
    np.testing.assert_array_equal(first[0].numpy(), features[:3])
    assert first[1].tolist() == [[0, 1], [2, 3]]
    assert (first[2].tolist(), first[2].dtype) == ([2, 1], torch.int64)
    np.testing.assert_array_equal(second[0].numpy(), features[3:])
    assert (second[1].tolist(), second[2].tolist()) == ([[4, 5]], [3])
