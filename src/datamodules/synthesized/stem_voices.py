"""Which presets of which soundfont play each class of stems."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.audio.score import Instrument
from src.audio.soundfonts.catalogue import PACKAGES
from src.audio.soundfonts.contents import presets
from src.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The presets of a soundfont that play a class.

    Args:
        label: number of the class.
        soundfont: the file.
        preset: (bank, program) of the class itself.
        relatives: (bank, program) of further presets of the same or a similar instrument.
    """

    label: int
    soundfont: Path
    preset: tuple[int, int]
    relatives: tuple[tuple[int, int], ...]


def voices_of(
    font: Path,
    instruments: Sequence[Instrument],
    relatives: Sequence[Sequence[tuple[int, int]]],
    left_out: Collection[str],
) -> Iterator[Voice]:
    """Yield a voice for each class that a soundfont has and that is not left out.

    Args:
        font: the file.
        instruments: the classes.
        relatives: for each class, (bank, program) of further presets that may play it.
        left_out: names of classes.
    """
    available = presets(font)
    for label, (instrument, candidates) in enumerate(zip(instruments, relatives, strict=True)):
        preset = (0, instrument.program)
        if preset in available and instrument.name not in left_out:
            found = tuple(candidate for candidate in candidates if candidate in available)
            yield Voice(label=label, soundfont=font, preset=preset, relatives=found)


def relatives_of(entry: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return the relatives of a class of the configuration.

    Raises:
        UserError: they are not (bank, program) pairs.
    """
    pairs = tuple(tuple(preset) for preset in entry.get("relatives", ()))
    if not all(len(preset) == 2 and all(isinstance(number, int) for number in preset) for preset in pairs):
        raise UserError(f"class {entry.get('name')}: relatives are {list(pairs)}; give [bank, program] pairs")
    return pairs


def check_left_out(
    leave_out: Mapping[str, Sequence[str]], soundfonts: Sequence[str], classes: Sequence[str]
) -> None:
    """Check that what is left out exists.

    Args:
        leave_out: classes by soundfont.
        soundfonts: names or paths of the training soundfonts.
        classes: names of all classes.

    Raises:
        UserError: there is no soundfont or no class of that name.
    """
    known = {*soundfonts, *(Path(font).stem for font in soundfonts), *PACKAGES}
    for font, left_out in leave_out.items():
        if font not in known:
            raise UserError(f"data.leave_out.{font}: data.soundfonts has no such soundfont")
        if unknown := [name for name in left_out if name not in classes]:
            raise UserError(
                f"data.leave_out.{font}: {unknown[0]} is not one of the classes {', '.join(classes)}"
            )
