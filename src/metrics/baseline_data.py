"""The data that baselines are fitted, tuned and tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]

MOST_ITEMS = 16_384
"""Training items that a baseline is fitted to; where there are more, every n-th."""


MOST_EPOCHS = 64


def fresh_items(an_epoch: int) -> int:
    """Return to how many training items baselines are fitted where each epoch has new ones: those of 64 epochs at most.

    Args:
        an_epoch: items of an epoch.
    """
    return min(MOST_ITEMS, MOST_EPOCHS * an_epoch)


class Split(NamedTuple):
    """One split of the data for a baseline.

    Attributes:
        features: of N items, (N, n_mels, T) or (N, channels, n_mels, T) dB, float16 or wider, memory-mapped or not, or
            the output of `band_statistics`; for rolls (F, C), 0 or 1 of any type, the concatenated columns of all
            pieces.
        targets: for labels (N, C), 0 or 1; for classes (N,), integers in 0..C−1; for regression (N, C) numbers; for
            rolls (P,) integers that sum to F, the number of columns of each piece.
    """

    features: Array
    targets: Array


@dataclass(frozen=True, eq=False)
class BaselineData:
    """The splits of a data set.

    Attributes:
        train: baselines are fitted to it.
        val: thresholds are tuned on it.
        test: baselines are tested on it.
        names: of the C classes, axes or keys; those of onset columns end in ` onset`.
    """

    train: Split
    val: Split
    test: Split
    names: Sequence[str]
