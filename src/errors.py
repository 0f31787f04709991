"""The one error that users are meant to read."""


class UserError(ValueError):
    """Something in the configuration, the input or the machine that the user can mend.

    The message is one line and names the remedy. `run.py` prints it without a traceback and exits with 2.
    """


def printable(message: str) -> str:
    """Return a message in which characters that could command the terminal are written as escapes.

    Args:
        message: may quote what a file says. Its line ends stay.
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in message
    )
