"""Soundfonts: where they lie, and which programs they hold."""

import importlib.util
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from src.errors import UserError

SUFFIXES = (".sf2", ".sf3")
SYSTEM_FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/usr/local/share/soundfonts",
    "/usr/local/share/fluidsynth",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/sounds/sf2",
    "~/.local/share/sounds/sf2",
    "~/.local/share/soundfonts",
)
HOW_TO_GET = {
    "TimGM6mb": "pip install pretty_midi",
    "FluidR3_GM": "apt install fluid-soundfont-gm",
    "MuseScore_General": "apt install musescore-general-soundfont",
    "OPL-3_FM_128M": "apt install opl3-soundfont",
}
_PRESET_BYTES = 38  # a record of the chunk `phdr`, SoundFont 2.04 specification, section 7.2


def find_soundfont(name: str | Path) -> Path:
    """Find a soundfont by its path, or by its name among those installed.

    Args:
        name: a path, or a file's name without suffix such as `TimGM6mb`, `FluidR3_GM` or `MuseScore_General`.

    Raises:
        UserError: there is none; the message says how to get it and which are installed.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path.resolve()
    found = installed_soundfonts()
    by_lower_case = {known.lower(): file for known, file in found.items()}
    if str(name).lower() in by_lower_case:
        return by_lower_case[str(name).lower()]
    remedy = HOW_TO_GET.get(str(name), "give the path of an .sf2 or .sf3 file")
    raise UserError(
        f"soundfont {name} is not here: {remedy}, or use one of: {', '.join(found) or 'none found'}"
    )


def installed_soundfonts() -> dict[str, Path]:
    """List the soundfonts in the usual folders and in the package `pretty_midi`, by name."""
    folders = [Path(folder).expanduser() for folder in SYSTEM_FOLDERS]
    package = importlib.util.find_spec("pretty_midi")
    if package is not None and package.origin is not None:
        folders.insert(0, Path(package.origin).parent)
    found: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else []:
            if file.suffix.lower() in SUFFIXES and os.access(file, os.R_OK):
                found.setdefault(file.stem, file.resolve())
    return found


def check_programs(path: Path, programs: Iterable[int]) -> None:
    """Check that a soundfont has presets for General MIDI programs; only the file's index is read.

    Args:
        path: an `.sf2` or `.sf3` file.
        programs: in 0..127.

    Raises:
        UserError: the file is no soundfont, or a program is missing.
    """
    has = {program for bank, program in presets(path) if bank == 0}
    missing = sorted(set(programs) - has)
    if missing:
        names = ", ".join(f"{program} ({_general_midi_name(program)})" for program in missing)
        raise UserError(
            f"soundfont {path.name} has no program {names}; choose another soundfont or leave the class out"
        )


def presets(path: Path) -> set[tuple[int, int]]:
    """Read the (bank, program) pairs that a soundfont holds.

    Source: SoundFont Technical Specification 2.04: RIFF form `sfbk`, list `pdta`, chunk `phdr`.

    Raises:
        UserError: the file is no soundfont, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            records = _preset_headers(file)
    except (OSError, struct.error):
        records = b""
    starts = range(0, len(records) - _PRESET_BYTES, _PRESET_BYTES)  # the last record is a terminator
    found = {struct.unpack_from("<HH", records, start + 20)[::-1] for start in starts}
    if not found:
        raise UserError(f"{path} is no soundfont; give an .sf2 or .sf3 file")
    return {(int(bank), int(program)) for bank, program in found}


def _preset_headers(file: BinaryIO) -> bytes:
    riff, _, form = struct.unpack("<4sI4s", file.read(12))
    if (riff, form) != (b"RIFF", b"sfbk"):
        return b""
    while head := file.read(8):
        kind, size = struct.unpack("<4sI", head)
        if kind == b"LIST" and file.read(4) == b"pdta":
            continue  # go on inside the list
        if kind == b"phdr":
            return file.read(size)
        file.seek(size + size % 2 - (4 if kind == b"LIST" else 0), os.SEEK_CUR)
    return b""


def _general_midi_name(program: int) -> str:
    from pretty_midi import program_to_instrument_name  # slow to import, wanted in an error only

    return str(program_to_instrument_name(program))
