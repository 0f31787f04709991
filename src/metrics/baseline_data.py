"""What baselines are fitted to, tuned on and tested with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]


class Split(NamedTuple):
    """What a baseline is given of a split.

    Attributes:
        features: of N items, (N, n_mels, T) or (N, channels, n_mels, T) decibels, float16 or wider, memory-mapped or
            not, or the output of `band_statistics`; of rolls (F, C), 0 or 1 of any type, the columns of all pieces
            one after another.
        targets: (N, C), 0 or 1, of labels; (N,), integers in 0..C−1, of classes; (N, C) numbers; of rolls (P,)
            integers that sum to F, the columns of each piece.
    """

    features: Array
    targets: Array


@dataclass(frozen=True, eq=False)
class BaselineData:
    """The splits of a data set.

    Attributes:
        train: what baselines are fitted to.
        val: what their thresholds are tuned on.
        test: what they are tested with.
        names: of the C classes, numbers or columns of keys; those of onset columns end in ` onset`.
    """

    train: Split
    val: Split
    test: Split
    names: Sequence[str]
