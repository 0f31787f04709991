"""The one error whose message is for users."""


class UserError(ValueError):
    """A problem with the configuration, the input or the machine that the user can fix.

    The message is one line that names the remedy. `run.py` prints it without a traceback and exits with code 2.
    """


def one_line(message: str, longest: int = 240) -> str:
    """Return a message in one line of printable characters, cut off after `longest`.

    Args:
        message: may quote what a file says.
        longest: number of characters.
    """
    line = printable(" ".join(message.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def printable(message: str) -> str:
    """Return a message in which characters that could command the terminal are written as escapes.

    Args:
        message: may quote what a file says. Its line ends stay.
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in message
    )
