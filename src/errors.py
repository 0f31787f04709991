"""The one error whose message is for users."""

import re
from collections.abc import Sequence

_LINE_END = re.compile(r"\n(?!  )")


class UserError(ValueError):
    """A problem with the configuration, the input or the machine that the user can fix.

    The message is one line that names the remedy; further lines begin with two blanks. `run.py` prints it without a
    traceback and exits with code 2.
    """


class NotFiniteError(UserError):
    """Numbers that have to be finite are not."""


class SeveralProblemsError(UserError):
    """Several problems.

    Args:
        problems: the message of each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        """Return all messages, a line each."""
        return "\n".join(self.problems)


def one_line(message: str, longest: int = 240) -> str:
    """Return a message in one line of printable characters, cut off after `longest`.

    Args:
        message: may quote what a file says.
        longest: number of characters.
    """
    line = printable(" ".join(message.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def wrong_json(error: Exception) -> str:
    """Return why a file is not JSON, in other words than Python's where those are of Python itself."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "set_int_max_str_digits" in str(error):
        return "a number has thousands of digits"
    return one_line(str(error))


def printable(message: str) -> str:
    """Return a message in which what could command the terminal, or pose as a line of its own, is written as escapes.

    Args:
        message: may quote what a file says, or its name. Line ends stay where two blanks follow, as in messages that
            list several problems.
    """
    return _LINE_END.sub(r"\\n", printable_lines(message))


def printable_lines(message: str) -> str:
    """Return what `printable` does, but with all line ends.

    Args:
        message: may quote what a file says.
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in message
    )
