"""A metric of a trial's test items, and what it is without a part of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Jackknife(NamedTuple):
    """A metric, once for all items and once without each block of groups (Efron and Tibshirani 1993, chapter 11).

    Attributes:
        value: of all items.
        without: float64 (B,), without the items of one block after another; equal groups give equal blocks.
        items: a hash of the items' targets and groups: where it is equal, two trials answered the same items.
    """

    value: float
    without: NDArray[np.float64]
    items: str
