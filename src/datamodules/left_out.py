"""What is said of files that cannot be used, and how many are too many."""

from collections.abc import Sequence

from src.errors import UserError
from src.messages import say

_NAMED = 10  # files that are named on the terminal; left_out.csv has all

LeftOut = Sequence[tuple[str, str]]
"""Path and reason of each."""


def say_left_out(name: str, left_out: LeftOut, total: int) -> None:
    """Name the first ten, and say how many there are; nothing where there are none.

    Args:
        name: of the data set.
        left_out: those that are not used.
        total: how many files there are.
    """
    for path, reason in left_out[:_NAMED]:
        say(f"{name}: left out: {path} {reason}")
    if left_out:
        say(f"{name}: {len(left_out)} of {total} files are left out; see left_out.csv")


def check_left_out(name: str, left_out: LeftOut, total: int, most: float, where: str = "") -> None:
    """Refuse a data set of which too much cannot be used.

    Args:
        name: of the data set.
        left_out: those that are not used.
        total: how many files there are.
        most: the greatest share that may be left out.
        where: the file that has all of them, if it is written.

    Raises:
        UserError: it is more; the message names the first ten.
    """
    if len(left_out) <= most * total:
        return
    named = "; ".join(f"{path} {reason}" for path, reason in left_out[:_NAMED])
    more = f"; {where} has all" if where and len(left_out) > _NAMED else ""
    raise UserError(
        f"{name}: {len(left_out)} of {total} files cannot be used: {named}{more}; mend them or get them again, or "
        f"allow a greater share than data.max_bad={most:g}"
    )
