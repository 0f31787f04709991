"""Messages about files that cannot be used, and the check that there are not too many of them."""

from collections.abc import Sequence

from src.errors import UserError
from src.messages import say

_NAMED = 10  # files that are named on the terminal; left_out.csv has all

LeftOut = Sequence[tuple[str, str]]
"""Path and reason of each file that is left out."""


def say_left_out(name: str, left_out: LeftOut, total: int) -> None:
    """Print the first ten files that are left out and their number; print nothing where there are none.

    Args:
        name: of the data set.
        left_out: the files that are not used.
        total: number of all files.
    """
    for path, reason in left_out[:_NAMED]:
        say(f"{name}: left out: {path} {reason}")
    if left_out:
        say(f"{name}: {len(left_out)} of {total} files are left out; see left_out.csv")


def check_left_out(name: str, left_out: LeftOut, total: int, max_share: float, listed_in: str = "") -> None:
    """Check that not too many files are left out.

    Args:
        name: of the data set.
        left_out: the files that are not used.
        total: number of all files.
        max_share: the greatest share that may be left out, 0..1.
        listed_in: path of the file that lists them all, if one is written.

    Raises:
        UserError: more are left out; the message names the first ten.
    """
    if len(left_out) <= max_share * total:
        return
    examples = "; ".join(f"{path} {reason}" for path, reason in left_out[:_NAMED])
    more = f"; {listed_in} lists them all" if listed_in and len(left_out) > _NAMED else ""
    raise UserError(
        f"{name}: {len(left_out)} of {total} files cannot be used: {examples}{more}; repair them or get them again, or "
        f"allow a greater share than data.max_bad={max_share:g}"
    )
