"""Groups by number, blocks of groups, and weights without one block."""

import numpy as np
import pytest

from src.metrics import item_groups
from src.metrics.item_groups import dealt, numbered, weights_without


def test_groups_are_numbered_as_they_first_appear() -> None:
    numbers, n_groups = numbered(np.array([70, 5, 70, 2**62, 5]))
    assert (numbers.tolist(), n_groups) == ([[0], [1], [0], [2], [1]], 3)
    numbers, n_groups = numbered(np.array([[9, 4, -1], [4, 9, 8]]))
    assert (numbers.tolist(), n_groups) == ([[0, 1, -1], [1, 0, 2]], 3)


@pytest.mark.parametrize(("n_groups", "blocks"), [(7, 7), (7, 3), (250, 100)])
def test_blocks_are_equally_large_and_always_the_same(n_groups: int, blocks: int) -> None:
    sizes = np.bincount(dealt(n_groups, blocks))
    assert len(sizes) == blocks
    assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(dealt(n_groups, blocks), dealt(n_groups, blocks))
    assert dealt(n_groups, blocks).tolist() != [group % blocks for group in range(n_groups)]


@pytest.mark.parametrize("cells", [2**22, 5 * 2])
def test_a_block_takes_every_item_with_it_that_has_a_part_in_it(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(item_groups, "CELLS", cells)
    numbers = np.array([[0, 1], [1, 2], [2, 2], [3, -1], [0, 3]])
    block = np.array([2, 0, 1, 2])
    parts = list(weights_without(numbers, block, 3))
    expected = [[not {block[g] for g in row if g >= 0} & {b} for b in range(3)] for row in numbers]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)
    assert len(parts) == (1 if cells > 10 else 2)
