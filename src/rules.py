"""Rules: what values an option takes, and what else to choose. No rule takes `True` for a number."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError, one_line
from src.words import did_you_mean


class Unfit(Exception):  # noqa: N818, it never leaves a rule
    """A value that a rule does not accept."""


@dataclass(frozen=True)
class Rule:
    """What values an option takes. `one | other` accepts what either does.

    Args:
        wanted: what to choose, as it stands in the message.
        read: from the option's key and a value to the value as it is kept; raises `Unfit`.
    """

    wanted: str
    read: Callable[[str, Any], Any]

    def __call__(self, key: str, value: Any) -> Any:
        """Return the value as it is kept.

        Args:
            key: as it is typed, such as `data.seed`.
            value: anything.

        Raises:
            UserError: the rule does not accept it.
        """
        try:
            return self.read(key, value)
        except Unfit:
            shown = list(value) if isinstance(value, tuple) else value
            raise UserError(f"{key}={one_line(str(shown))}: choose {self.wanted}.") from None

    def __or__(self, other: "Rule") -> "Rule":
        def read(key: str, value: Any) -> Any:
            try:
                return self.read(key, value)
            except Unfit:
                return other.read(key, value)

        return Rule(f"{self.wanted}, or {other.wanted}", read)


def whole(least: int, most: int | None = None) -> Rule:
    """Return the rule of whole numbers from `least` to `most`."""

    def read(_: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise Unfit
        if most is not None and value > most:
            raise Unfit
        return value

    return Rule(f"a whole number from {least}" + ("" if most is None else f" to {most}"), read)


def number(
    low: float, high: float = math.inf, *, above: bool = False, below: bool = False, of: str = "a number"
) -> Rule:
    """Return the rule of finite numbers in a range; they are kept as floats.

    Args:
        low: the least.
        high: the greatest.
        above: `low` itself is too low.
        below: `high` itself is too high.
        of: what they are, such as `a number of seconds`.
    """

    def read(_: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Unfit
        if not low <= value <= high or (above and value == low) or (below and value == high):
            raise Unfit
        return float(value)

    range_ = f"above {low:g}" if above else f"from {low:g}"
    if high < math.inf:
        range_ += f" to {'below ' if below else ''}{high:g}"
    return Rule(f"{of} {range_}", read)


def one_of(*known: Any) -> Rule:
    """Return the rule of a choice."""

    def read(_: str, value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in known):
            raise Unfit
        return value

    return Rule(" or ".join(map(str, known)), read)


def null(meaning: str = "") -> Rule:
    """Return the rule of `null`.

    Args:
        meaning: what it stands for, such as `for whole pieces`.
    """

    def read(_: str, value: Any) -> None:
        if value is not None:
            raise Unfit

    return Rule(f"null {meaning}".strip(), read)


def words(wanted: str) -> Rule:
    """Return the rule of text that is not empty.

    Args:
        wanted: what it is, such as `the name of a file`.
    """

    def read(_: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise Unfit
        return value

    return Rule(wanted, read)


def each(rule: Rule, *, least: int = 1, unique: bool = False) -> Rule:
    """Return the rule of lists; they are kept as tuples.

    Args:
        rule: of the entries.
        least: number of entries.
        unique: whether no entry may occur twice.
    """

    def read(key: str, value: Any) -> tuple[Any, ...]:
        if not _is_list(value) or len(value) < least:
            raise Unfit
        found = tuple(rule.read(key, entry) for entry in value)
        if unique and len(set(found)) < len(found):
            raise Unfit
        return found

    often = f" of {least} or more" if least else ""
    return Rule(f"a list{often}, each {rule.wanted}{' and none twice' if unique else ''}", read)


def some_of(*known: Any, least: int = 1) -> Rule:
    """Return the rule of lists of different choices; they are kept as tuples.

    Args:
        known: the choices.
        least: number of them.
    """
    read = each(one_of(*known), least=least, unique=True).read
    return Rule(f"a list of {least} or more, none twice, of {', '.join(map(str, known))}", read)


def pair(rule: Rule) -> Rule:
    """Return the rule of ranges [low, high]; they are kept as tuples."""

    def read(key: str, value: Any) -> tuple[Any, Any]:
        if not _is_list(value) or len(value) != 2:
            raise Unfit
        low, high = (rule.read(key, end) for end in value)
        if low > high:
            raise Unfit
        return low, high

    return Rule(f"[low, high], each {rule.wanted}", read)


def by_name(rule: Rule, names: tuple[str, ...]) -> Rule:
    """Return the rule of tables with one value for each of some names."""

    def read(key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Unfit
        refuse_unknown_names(key, value, names)
        return {name: rule(f"{key}.{name}", value.get(name)) for name in names}

    return Rule(f"{{{', '.join(f'{name}: …' for name in names)}}}, each {rule.wanted}", read)


def refuse_unknown_names(key: str, value: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse keys of a table that are none of some names.

    Args:
        key: of the table.
        value: the table.
        names: that its keys may have.

    Raises:
        UserError: there is one; the message names the nearest.
    """
    for name in value:
        if name not in names:
            nearest = did_you_mean(name, names)
            raise UserError(f"{key}.{name}: there is no such key.{nearest} Known: {', '.join(names)}.")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _of_type(kind: Any, wanted: str) -> Rule:
    def read(_: str, value: Any) -> Any:
        if not isinstance(value, kind):
            raise Unfit
        return value

    return Rule(wanted, read)


flag = _of_type(bool, "true or false")
path = Rule("a path", lambda _, value: value if isinstance(value, Path) else words("a path").read(_, value))
table = _of_type(Mapping, "a table of keys and values")
anything = _of_type(object, "anything")
share = number(0, 1, of="a share")
seconds = number(0, above=True, of="a number of seconds")
