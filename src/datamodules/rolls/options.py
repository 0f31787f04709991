"""The options of a data set of rolls, checked."""

from src.errors import UserError


def at_least(option: str, value: int | None, least: int) -> int | None:
    """Check a length in columns or steps; `None` is no limit.

    Raises:
        UserError: it is no whole number from `least`.
    """
    if value is not None and (not isinstance(value, int) or value < least):
        raise UserError(
            f"data.{option}={value}: choose a whole number from {least}, or null for whole pieces."
        )
    return value
