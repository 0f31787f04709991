"""The one error that users are meant to read."""


class UserError(ValueError):
    """Something in the configuration, the input or the machine that the user can mend.

    The message is one line and names the remedy. `run.py` prints it without a traceback and exits with 2.
    """
