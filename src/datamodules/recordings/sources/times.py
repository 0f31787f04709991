"""Times as people write them: `m:ss`, `h:mm:ss`, or a number of seconds."""

import re

from src.errors import UserError

_LONGEST = 60  # characters of a value in a message
_MOST_S = 1e9
_TIME = re.compile(
    r"(?:(?P<hours>\d{1,4}):(?P<minutes>[0-5]\d)|(?P<all_minutes>\d{1,5})):(?P<seconds>[0-5]\d(\.\d{1,9})?)",
    re.ASCII,
)


def parse_time(value: object) -> float:
    """Read a time.

    Args:
        value: text `m:ss` or `h:mm:ss`, with a fraction of a second if wanted (`1:02:03.5`), or a number of seconds.

    Returns:
        Seconds, 0..1e9.

    Raises:
        UserError: it is not a time.
    """
    if isinstance(value, str) and (match := _TIME.fullmatch(value.strip())):
        minutes = int(match["hours"] or 0) * 60 + int(match["minutes"] or match["all_minutes"])
        return minutes * 60 + float(match["seconds"])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_S:
        return float(value)
    raise UserError(f"{shown(value)} is not a time: write m:ss, h:mm:ss or a number of seconds")


def written(seconds: float) -> str:
    """Return a time as `m:ss`, from an hour on as `h:mm:ss`, to the millisecond; `parse_time` reads it back."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    start = f"{hours}:{minutes_left:02d}" if hours else f"{minutes}"
    fraction = f".{milliseconds:03d}".rstrip("0") if milliseconds else ""
    return f"{start}:{rest:02d}{fraction}"


def shown(value: object) -> str:
    """Return any value as text for a message, on one line and not too long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
