"""The sound files of a folder, and what else lies there."""

from collections.abc import Container
from pathlib import Path

from src.audio.sound_file import SUFFIXES
from src.errors import UserError
from src.messages import say
from src.paths import not_a_file, visible_files, visible_names

_NAMED = 3


def audio_files(path: Path) -> list[Path]:
    """Return a sound file, or the sorted sound files of a folder and its subfolders, without hidden ones.

    Of a folder they are all whose names say so, even those that are no regular files: reading them says what they are.

    Raises:
        UserError: nothing is there, or no sound file is in the folder.
    """
    if not path.is_dir():
        if problem := not_a_file(path):
            raise UserError(f"{path} {problem}; give a sound file or a folder of them")
        return [path]
    files = [path / file for file in visible_names(path) if is_sound(file)]
    if not files:
        raise UserError(f"no sound file in {path}; put {', '.join(SUFFIXES)} files there")
    return files


def is_sound(file: Path) -> bool:
    """Whether a file's name says that it is a sound file."""
    return file.suffix.lower() in SUFFIXES


def say_others(name: str, folder: Path, besides: Container[str] = ()) -> None:
    """Print how many files of a folder and its subfolders are no sound files; print nothing where all are.

    Args:
        name: of who looked, such as a data set.
        folder: hidden files in it do not count.
        besides: paths relative to it, with `/`, that do not count.
    """
    names = [file.as_posix() for file in visible_files(folder) if not is_sound(file)]
    others = [other for other in names if other not in besides]
    if others:
        more = ", …" if len(others) > _NAMED else ""
        named = ", ".join(others[:_NAMED]) + more
        say(f"{name}: {len(others)} of the files in {folder} are no sound files and are passed over: {named}")
