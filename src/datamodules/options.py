"""Options that several families of data sets have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from src.options import Options, Role
from src.rules import Rule, each, flag, null, one_of, path, table, whole
from src.splitting.splits import shares

Folder = Annotated[str | Path | None, path | null(), Role.PATH, Role.INPUT]
"""The folder of a data set, or of one's own files."""

_FONT = Rule(
    "a soundfont by its name, such as TimGM6mb, or path", lambda key, value: str(path.read(key, value))
)
Soundfont = Annotated[str, _FONT, Role.PATHS, Role.INPUT]
_FONTS = Rule(
    "one or several soundfonts by their names, such as [TimGM6mb], or paths",
    lambda key, value: each(_FONT).read(key, [value] if isinstance(value, str) else value),
)
Soundfonts = Annotated[tuple[str, ...], _FONTS, Role.PATHS, Role.INPUT]
OtherSoundfonts = Annotated[tuple[str, ...] | None, _FONTS | null("for the same"), Role.PATHS, Role.INPUT]

Seed = Annotated[int, whole(0)]
"""Of everything drawn for the data; the training has a seed of its own."""
Shares = Annotated[Mapping[str, float] | None, shares() | null("for the data set's own split")]
Features = Annotated[Mapping[str, Any], table]
"""Of `src.audio.mel.LogMel`, which checks them."""

Incomplete = Annotated[bool, flag, Role.NO_EFFECT]
"""Whether fewer files than were published are enough; which ones there are counts for a trial, not this."""


class DataOptions(Options):
    """Options of every data set.

    Args:
        workers: processes that build the data, or `auto`.
    """

    group = "data"

    workers: Annotated[int | str, whole(1) | one_of("auto"), Role.NO_EFFECT]
