"""Conditional axes: one whose key only some choices have holds where composition has the key."""

from collections.abc import Sequence
from typing import Any, Protocol

from src.errors import UserError
from src.sweep.plan import Request
from src.sweep.search.space import Axis, Interval, Point, Space, name


class Composition(Protocol):
    """Composes configurations of the space."""

    def request(self, typed: Sequence[str]) -> Request:
        """Return a trial's overrides with its configuration; raise UserError where they do not fit."""

    def is_group(self, key: str) -> bool:
        """Whether a key chooses from a group of the configuration."""

    def look_up(self, typed: Sequence[str], key: str) -> tuple[bool, Any]:
        """Return whether a composed configuration has a key, and its value, `None` where it is not set."""


class Conditions:
    """Says which axes hold where.

    Args:
        space: of the search.
        composition: of its configurations.
    """

    def __init__(self, space: Space, composition: Composition) -> None:
        self._space = space
        self._composition = composition
        self._groups = [axis for axis in space.axes if composition.is_group(name(axis))]
        self._known: dict[tuple[tuple[str, ...], str], bool] = {}
        others = [axis for axis in space.axes if axis not in self._groups]
        self.conditional = tuple(axis for axis in others if not self._always(axis))
        """Axes that do not hold everywhere."""
        self.axes = (
            *(axis for axis in (*self._groups, *others) if axis not in self.conditional),
            *self.conditional,
        )
        """All axes, those that others depend on first."""

    def holds(self, axis: Axis, point: Point) -> bool:
        """Whether an axis holds at a point, of which the groups alone count."""
        return axis not in self.conditional or self._has(axis, point)

    def complete(self, partial: Point) -> dict[str, str]:
        """Return the point with the given values, and of each other axis that holds there the first one."""
        found: dict[str, str] = {}
        for axis in self.axes:
            if self.holds(axis, found):
                found[axis.key] = partial.get(axis.key, axis.probes()[0])
        return found

    def fits(self, point: Point) -> bool:
        """Whether a point has a value for each axis that holds there, and for no other."""
        return self.complete(point) == dict(point)

    def probes(self) -> list[dict[str, str]]:
        """Return points in which each axis once takes each of the values that are tried out before the search.

        Raises:
            UserError: an axis of numbers has a key that is none.
        """
        starts = [self.complete({axis.key: text}) for axis in self._groups for text in axis.probes()]
        found = [start := self.complete({}), *starts]
        for axis in self.axes:
            base = next((point for point in found if axis.key in point), start)
            if isinstance(axis, Interval):
                self._refuse_no_number(axis, base)
            found += [self.complete({**base, axis.key: text}) for text in axis.probes()]
        return list({tuple(point.items()): point for point in found}.values())

    def _always(self, axis: Axis) -> bool:
        """Whether an axis holds whatever is chosen from the groups, one of them after another."""
        if axis.key.startswith("+") or not self._groups:
            return True
        first = {group.key: group.probes()[0] for group in self._groups}
        points = [{**first, group.key: text} for group in self._groups for text in group.probes()]
        held = [self._has(axis, point) for point in points]
        return all(held) or not any(held)  # where no choice has the key, composition says so with a remedy

    def _has(self, axis: Axis, point: Point) -> bool:
        typed = self._groups_of(point)
        if (typed, axis.key) not in self._known:
            self._known[typed, axis.key] = self._composition.look_up(typed, name(axis))[0]
        return self._known[typed, axis.key]

    def _groups_of(self, point: Point) -> tuple[str, ...]:
        return self._space.overrides(
            {axis.key: point[axis.key] for axis in self._groups if axis.key in point}
        )

    def _refuse_no_number(self, axis: Interval, point: Point) -> None:
        group = self._composition.is_group(name(axis))
        _, value = (False, None) if group else self._composition.look_up(self._groups_of(point), name(axis))
        is_number = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        if group or not (is_number or value == "auto"):
            raise UserError(
                f"{axis.key}: it is no number ({'a choice' if group else value}), so it has no interval; "
                f"list values: {axis.key}=a,b."
            )
