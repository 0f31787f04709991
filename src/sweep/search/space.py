"""The search space: axes, each a key with the values that it may take, and the overrides that all trials share."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

Point = Mapping[str, str]
"""A configuration of the space: by key, the value as an override has it; without the axes that do not hold there."""

Identity = frozenset[tuple[str, str]]

_LINEAR_STEPS = 5_000
"""So many steps at least a float is rounded to, over its interval."""

_LOG_STEPS = 500
"""So many steps at least, over a factor of e."""


@dataclass(frozen=True)
class Choice:
    """An axis of listed values.

    Args:
        key: as an override has it, with a leading `+` where it was typed: `optimizer`, `+trainer.max_time`.
        texts: the values, as overrides have them, none twice.
        ordered: whether they are numbers in their order, from `range(…)`.
    """

    key: str
    texts: tuple[str, ...]
    ordered: bool = False

    @property
    def size(self) -> int | None:
        """Number of values."""
        return len(self.texts)

    def holds(self, text: str) -> bool:
        """Whether it has a value."""
        return text in self.texts

    def probes(self) -> tuple[str, ...]:
        """Return the values to be tried out before the search: all, of a range its ends."""
        return self.texts if not self.ordered else tuple(dict.fromkeys((self.texts[0], self.texts[-1])))

    def at(self, share: float) -> str:
        """Return the value at a share of the axis, from 0 to below 1."""
        return self.texts[min(int(share * len(self.texts)), len(self.texts) - 1)]

    def share(self, text: str) -> float:
        """Return the share of the axis in whose middle a value lies."""
        return (self.texts.index(text) + 0.5) / len(self.texts)

    def all(self) -> Iterator[str]:
        """Yield all values."""
        yield from self.texts

    def __str__(self) -> str:
        return f"{self.texts[0]} … {self.texts[-1]}" if self.ordered else ", ".join(self.texts)


@dataclass(frozen=True)
class Interval:
    """An axis of numbers, both ends included.

    Args:
        key: as an override has it, with a leading `+` where it was typed.
        low: the least.
        high: the greatest, above `low`.
        log: whether factors count, not differences; then `low` is above 0.
        whole: whether only whole numbers are meant.
    """

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def size(self) -> int | None:
        """Number of values, `None` where it is not finite."""
        return int(self.high) - int(self.low) + 1 if self.whole else None

    def text(self, value: float) -> str:
        """Return a number of the interval as an override has it, rounded to far less than a training can tell."""
        if self.whole:
            return str(min(max(round(value), int(self.low)), int(self.high)))
        if self.log:
            step = abs(value) * min(1.0, math.log(self.high / self.low)) / _LOG_STEPS
        else:
            step = (self.high - self.low) / _LINEAR_STEPS
        rounded = round(value, -math.floor(math.log10(step)))
        return repr(float(min(max(rounded, self.low), self.high)))

    def holds(self, text: str) -> bool:
        """Whether it has a value."""
        with suppress(ValueError):
            value = int(text) if self.whole else float(text)
            return self.low <= value <= self.high
        return False

    def probes(self) -> tuple[str, ...]:
        """Return the values to be tried out before the search: both ends."""
        return self.text(self.low), self.text(self.high)

    def at(self, share: float) -> str:
        """Return the value at a share of the axis, from 0 to below 1; evenly, or evenly in the logarithm."""
        low, high = self._ends()
        value = low + share * (high - low)
        return self.text(math.exp(value) if self.log else value)

    def share(self, text: str) -> float:
        """Return the share of the axis at which a value lies."""
        low, high = self._ends()
        value = float(text)
        return ((math.log(value) if self.log else value) - low) / (high - low)

    def _ends(self) -> tuple[float, float]:
        margin = (
            0.5 if self.whole else 0.0
        )  # so that the least and the greatest number have as much as the others
        low, high = self.low - margin, self.high + margin
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def all(self) -> Iterator[str]:
        """Yield all values of whole numbers."""
        assert self.whole
        yield from map(str, range(int(self.low), int(self.high) + 1))

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "numbers"
        ends = (f"{int(end)}" if self.whole else f"{end:g}" for end in (self.low, self.high))
        return f"{kind} from {' to '.join(ends)}" + (", by factors" if self.log else "")


Axis = Choice | Interval


@dataclass(frozen=True)
class Space:
    """What a search may run.

    Args:
        axes: none with the key of another.
        fixed: overrides that all its trials share.
        keys: of all overrides, in the order of typing.
    """

    axes: tuple[Axis, ...]
    fixed: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def overrides(self, point: Point) -> tuple[str, ...]:
        """Return the overrides of a point, in the order of typing."""
        own = {override.partition("=")[0]: override for override in self.fixed}
        own |= {key: f"{key}={text}" for key, text in point.items()}
        return tuple(own[key] for key in (self.keys or own) if key in own)

    def point(self, overrides: Sequence[str]) -> dict[str, str] | None:
        """Return the point that overrides of another command have, `None` where they lie outside.

        Args:
            overrides: as typed; those of other keys are passed over.
        """
        values = {key.lstrip("+"): text for key, _, text in (each.partition("=") for each in overrides)}
        found = {axis.key: values[name(axis)] for axis in self.axes if name(axis) in values}
        inside = all(axis.holds(found[axis.key]) for axis in self.axes if axis.key in found)
        return found if inside else None

    @property
    def size(self) -> int | None:
        """The most points that it may have, `None` where they are not finite."""
        sizes = [axis.size for axis in self.axes]
        return None if None in sizes else math.prod(size for size in sizes if size)

    def all(self) -> Iterator[dict[str, str]]:
        """Yield all combinations of a finite space, whichever axes hold."""
        for texts in product(*(tuple(axis.all()) for axis in self.axes)):
            yield dict(zip((axis.key for axis in self.axes), texts, strict=True))


def name(axis: Axis) -> str:
    """Return the key of an axis without what stands before it to add it."""
    return axis.key.lstrip("+")


def identity(point: Point) -> Identity:
    """Return what two equal points have in common."""
    return frozenset(point.items())
