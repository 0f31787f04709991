"""The options of a data set of recordings, checked."""

from collections.abc import Sequence
from typing import TypeVar

from src.errors import UserError

Option = TypeVar("Option", int, str)


def one_of(option: str, value: Option, known: Sequence[Option]) -> Option:
    """Check a choice.

    Raises:
        UserError: it is none of those known.
    """
    if value not in known:
        raise UserError(f"data.{option}={value}: choose {' or '.join(map(str, known))}.")
    return value


def above_zero(option: str, value: float) -> float:
    """Check a number of seconds.

    Raises:
        UserError: it is not above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise UserError(f"data.{option}={value}: choose a number of seconds above 0.")
    return float(value)


def whole_number(option: str, value: int, least: int, most: int | None = None) -> int:
    """Check a whole number.

    Raises:
        UserError: it is none, or lies outside least..most.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        range_ = f"from {least}" if most is None else f"from {least} to {most}"
        raise UserError(f"data.{option}={value}: choose a whole number {range_}.")
    return value


def share(option: str, value: float) -> float:
    """Check a share.

    Raises:
        UserError: it lies outside 0..1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(f"data.{option}={value}: choose a share from 0 to 1.")
    return float(value)
