"""Finds installed soundfonts, and says how to get others."""

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from src.audio.soundfonts.catalogue import PACKAGES
from src.audio.soundfonts.packages import fetch_soundfont
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
)
OWN_FOLDER_VARIABLE = "POLYSWEEP_SOUNDFONTS"
"""Environment variable: the folder for downloaded soundfonts, instead of ~/.local/share/soundfonts."""
HOW_TO_GET = {
    "TimGM6mb": "pip install pretty_midi",
    "MuseScore_General": "apt install musescore-general-soundfont",
}


def find_soundfont(name: str | Path, *, prepared: bool = True) -> Path:
    """Find a soundfont by its path, or by its name among those installed.

    Args:
        name: a path, or a file's name without suffix such as `TimGM6mb`, `FluidR3_GM` or `MuseScore_General`.
        prepared: whether `mode=prepare` downloads it, as it does soundfonts of data sets.

    Raises:
        UserError: it is not installed; the message says how to get it and which ones are.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path.resolve()
    found = installed_soundfonts()
    by_lower_case = {known.lower(): file for known, file in found.items()}
    if str(name).lower() in by_lower_case:
        return by_lower_case[str(name).lower()]
    remedy = HOW_TO_GET.get(str(name), "give the path of an .sf2 or .sf3 file")
    if str(name) in PACKAGES:
        package = PACKAGES[str(name)]
        holders = f"{package.manager}'s {', '.join(package.names)} has it; give the path of the file"
        remedy = "mode=prepare downloads it" if prepared else holders
    raise UserError(
        f"soundfont {name} is not installed: {remedy}, or use one of: {', '.join(found) or 'none found'}"
    )


def own_folder() -> Path:
    """Return the folder for downloaded soundfonts."""
    return Path(os.environ.get(OWN_FOLDER_VARIABLE) or "~/.local/share/soundfonts").expanduser()


def fetch_missing(names: Iterable[str]) -> None:
    """Download the soundfonts that are not installed, where packages hold them.

    Raises:
        UserError: one could not be downloaded.
    """
    for name in names:
        if name in PACKAGES and name not in installed_soundfonts() and not Path(name).is_file():
            fetch_soundfont(name, own_folder())


def installed_soundfonts() -> dict[str, Path]:
    """Return the soundfonts in the usual folders and in the package `pretty_midi`, by name."""
    folders = [own_folder(), *(Path(folder).expanduser() for folder in SYSTEM_FOLDERS)]
    package = importlib.util.find_spec("pretty_midi")
    if package is not None and package.origin is not None:
        folders.insert(0, Path(package.origin).parent)
    # Of fonts with the same name the first folder's counts.
    found: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else []:
            if file.suffix.lower() in SUFFIXES and os.access(file, os.R_OK):
                found.setdefault(file.stem, file.resolve())
    return found
