"""Where the values of a swept key lie, for the numbers that a key's importance is computed from.

- Of an interval of a search, a value lies at its share of the interval: by factors where the search draws by factors.
- Listed values that all are numbers lie at their place in their order, each one step from the next: whoever lists
  `.001,.01,.1` or `0,1e-4,1e-2` says which steps he finds alike, whether they are differences or factors.
- Other listed values are choices, without an order.

Of listed values those count that were tried, all alike.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from src.sweep.search.space import Interval

N_PLACES = 64
"""Places that an interval has in the decomposition of a forest."""

Kind = Literal["interval", "steps", "choices"]


@dataclass(frozen=True)
class Scale:
    """The positions of a key's values.

    Attributes:
        kind: of values: on an interval, in an order, or without one.
        positions: by value as typed; of an interval from 0 to 1, else from 0 in steps of 1.
    """

    kind: Kind
    positions: Mapping[str, float]

    @property
    def places(self) -> NDArray[np.float64]:
        """The positions that make up the space; all count alike."""
        if self.kind == "interval":
            return (np.arange(N_PLACES) + 0.5) / N_PLACES
        return np.unique(list(self.positions.values()))

    @property
    def varies(self) -> bool:
        """Whether several values were tried."""
        return len(set(self.positions.values())) > 1


def scale_of(texts: Sequence[str], interval: Interval | None = None) -> Scale:
    """Return the scale of a key.

    Args:
        texts: its values in the trials, as typed.
        interval: that a search draws them from, if any.
    """
    values = list(dict.fromkeys(texts))
    if interval is not None and all(interval.holds(text) for text in values):
        return Scale("interval", {text: interval.share(text) for text in values})
    numbers = [_number(text) for text in values]
    if None in numbers:
        return Scale("choices", {text: float(place) for place, text in enumerate(values)})
    order = sorted(set(numbers), key=lambda number: number or 0.0)
    return Scale(
        "steps", {text: float(order.index(number)) for text, number in zip(values, numbers, strict=True)}
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
