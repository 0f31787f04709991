"""Groups of items: what is drawn, or left out, together because the items share a note, a work or a recording."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Groups = NDArray[np.int64]
"""(N,), the group of each item, >= 0; or (N, M) where an item is made of up to M grouped things, padded with −1."""

CELLS = 2**22
"""Weights held at a time; with more items a part has fewer columns, not more memory."""


def numbered(groups: Groups) -> tuple[NDArray[np.int64], int]:
    """Number groups from 0 in the order in which they first appear.

    Args:
        groups: see `Groups`.

    Returns:
        int64 (N, M), −1 where there was −1, with M = 1 for groups (N,); and the number of groups.
    """
    columns = groups.reshape(len(groups), -1)
    present = columns >= 0
    _, first, which = np.unique(columns[present], return_index=True, return_inverse=True)
    numbers = np.full(columns.shape, -1, np.int64)
    numbers[present] = np.argsort(np.argsort(first))[which]
    return numbers, len(first)


def dealt(n_groups: int, blocks: int) -> NDArray[np.int64]:
    """Deal groups to blocks of equal size, up to one, in an order that depends only on the number of groups.

    Args:
        n_groups: G.
        blocks: B, in 1..G.

    Returns:
        The block of each group, int64 (G,), in 0..B−1.
    """
    return np.random.default_rng(n_groups).permutation(n_groups) % blocks


def weights_without(numbers: NDArray[np.int64], block: NDArray[np.int64], blocks: int) -> Iterator[Tensor]:
    """Yield weights that leave out one block of groups after another, and with it all items of which a part is in it.

    Args:
        numbers: int64 (N, M), of `numbered`.
        block: int64 (G,), the block of each group.
        blocks: B.

    Yields:
        float32 (N, b), 0 or 1, in parts of b ≤ B columns.
    """
    item, part = np.nonzero(numbers >= 0)
    left_out = block[numbers[item, part]]
    columns = max(1, CELLS // len(numbers))
    for start in range(0, blocks, columns):
        weights = np.ones((len(numbers), min(columns, blocks - start)), np.float32)
        here = (left_out >= start) & (left_out < start + columns)
        weights[item[here], left_out[here] - start] = 0
        yield torch.from_numpy(weights)
