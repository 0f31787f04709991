"""What the groups of every data set have in common."""

import itertools
from typing import Any

import numpy as np

from src.splitting.splits import SPLITS


def check_groups(data: Any, n_items: dict[str, int]) -> dict[str, np.ndarray]:
    """Groups by split, one of each item, none of which two splits share.

    Args:
        data: set up.
        n_items: the expected number of `val` and `test` items.
    """
    found = {split: data.groups(split) for split in SPLITS}
    for split, count in n_items.items():
        assert found[split].dtype == np.int64
        assert len(found[split]) == count
        assert found[split].min() >= (0 if found[split].ndim == 1 else -1)
        np.testing.assert_array_equal(found[split], data.groups(split))
    for first, second in itertools.combinations(SPLITS, 2):
        shared = np.intersect1d(found[first], found[second])
        assert shared.tolist() in ([], [-1])
    return found
