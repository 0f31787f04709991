"""The one error whose message is for users."""


class UserError(ValueError):
    """A problem with the configuration, the input or the machine that the user can fix.

    The message is one line that names the remedy. `run.py` prints it without a traceback and exits with code 2.
    """
