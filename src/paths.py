"""Paths of files shipped with the code, of files that other files name, and of temporary files.

What is shipped lies at the root of a checkout, or inside the package of an installed wheel.
"""

import fnmatch
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from src.errors import UserError

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The folder that `src` is imported from."""

_SHIPPED = PACKAGE / "shipped"  # setup.py copies it into wheels
_BASE = _SHIPPED if _SHIPPED.is_dir() else ROOT

CONF = _BASE / "conf"
CHECKPOINTS = _BASE / "checkpoints"
CONSTRAINTS = _BASE / "constraints.txt"
"""Lists the exact versions that the tests passed with."""


def private_folder() -> Path:
    """Return a folder among the temporary files that nobody but this user can write to; it is made if missing.

    Raises:
        UserError: something else lies there, or another user's folder does.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"polysweep-{user}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:
        raise UserError(f"{folder} is not a folder of yours; set TMPDIR to one that is")
    return folder


def inside(root: Path, name: str) -> Path:
    """Return the path of a file that a table, a list or an archive names.

    A name cannot lead out of the folder. A link can: whoever has the folder put it there, such as a class on another
    disk.

    Args:
        root: the folder.
        name: relative to it, with `/`.

    Raises:
        UserError: the name leads out of the folder, or what it names is no regular file; the message continues a
            sentence that begins with the name: `… does not exist`.
    """
    if Path(name).anchor or ".." in Path(name).parts:
        raise UserError("is absolute or has '..'; give a path inside the folder")
    if problem := not_a_file(root / name):
        raise UserError(problem)
    return root / name


def not_a_file(path: Path) -> str:
    """Return why a path is no regular file, such as `does not exist`; empty if it is one.

    What Linux shows below `/proc` counts as none: some of it, such as `/proc/kmsg`, has no end.
    """
    try:
        if path.is_file() and (path.stat().st_size or not path.resolve().is_relative_to("/proc")):
            return ""
        if path.exists():
            return "is not a regular file"
        return "is a link that leads nowhere" if path.is_symlink() else "does not exist"
    except (OSError, ValueError):  # a name that is too long or holds a null character
        return "does not exist"


def no_folder(path: Path) -> str:
    """Return what is wrong with a path that is no folder, such as `/data/a.wav is a file`."""
    return (
        f"{path} is {'a file' if path.is_file() else 'no folder'}"
        if path.exists()
        else f"{path} does not exist"
    )


def is_inside(root: Path, name: str) -> bool:
    """Whether `inside` returns a path."""
    try:
        inside(root, name)
    except UserError:
        return False
    return True


def visible_files(root: Path, pattern: str = "*") -> list[Path]:
    """Return the sorted relative paths of the files below a folder whose names match a pattern; see `visible_names`.

    Args:
        root: the folder.
        pattern: of names, as for `Path.rglob`.
    """
    names = [name for name in visible_names(root) if fnmatch.fnmatchcase(name.name, pattern)]
    return [name for name in names if not not_a_file(root / name)]


def visible_names(root: Path) -> list[Path]:
    """Return the sorted relative paths of all that lies below a folder and is no folder itself.

    Links to folders are followed, but for those that lead back to where they lie in. Paths with a component that begins
    with a dot are left out, such as `._a.wav`, in which macOS keeps what it knows of `a.wav`.

    Args:
        root: the folder; without one, nothing lies below it.
    """
    found = []
    folders: list[tuple[Path, tuple[Path, ...]]] = [(Path(), (Path(os.path.realpath(root)),))]
    while folders:
        folder, places = folders.pop()
        for entry in _entries(root / folder):
            path = folder / entry.name
            if not os.path.isdir(entry.path):  # noqa: PTH112 - a Path raises errors where it may not look
                found.append(path)
            elif not entry.is_symlink():
                folders.append((path, (*places[:-1], places[-1] / entry.name)))
            elif not any(place.is_relative_to(os.path.realpath(entry)) for place in places):
                folders.append((path, (*places, Path(os.path.realpath(entry)))))
    return sorted(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder and is not hidden; nothing of a folder that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []
