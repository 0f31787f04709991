"""Which soundfont plays which class of stems, by which presets."""

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
    """What plays a class in a soundfont.

    Args:
        label: number of the class.
        soundfont: the file.
        preset: (bank, program) of the class itself.
        relatives: other presets that it has.
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
    """Give what plays the classes in a soundfont: those that it has and that are not left out.

    Args:
        font: the file.
        instruments: the classes.
        relatives: of each, presets that may play it too.
        left_out: names of classes.
    """
    has = presets(font)
    for label, (instrument, others) in enumerate(zip(instruments, relatives, strict=True)):
        own = (0, instrument.program)
        if own in has and instrument.name not in left_out:
            there = tuple(preset for preset in others if preset in has)
            yield Voice(label=label, soundfont=font, preset=own, relatives=there)


def relatives_of(entry: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Give the relatives of a class of the configuration.

    Raises:
        UserError: they are no (bank, program) pairs.
    """
    pairs = tuple(tuple(preset) for preset in entry.get("relatives", ()))
    if not all(len(preset) == 2 and all(isinstance(number, int) for number in preset) for preset in pairs):
        raise UserError(f"class {entry.get('name')}: relatives are {list(pairs)}; give [bank, program] pairs")
    return pairs


def check_left_out(
    leave_out: Mapping[str, Sequence[str]], soundfonts: Sequence[str], classes: Sequence[str]
) -> None:
    """Refuse what cannot be left out.

    Args:
        leave_out: classes by soundfont.
        soundfonts: names or paths.
        classes: that there are.

    Raises:
        UserError: a soundfont or a class of that name is not there.
    """
    known = {*soundfonts, *(Path(font).stem for font in soundfonts), *PACKAGES}
    for font, left in leave_out.items():
        if font not in known:
            raise UserError(f"data.leave_out.{font}: there is no such soundfont among data.soundfonts")
        if unknown := [name for name in left if name not in classes]:
            raise UserError(
                f"data.leave_out.{font}: {unknown[0]} is no class; choose of {', '.join(classes)}"
            )
