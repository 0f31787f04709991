"""One entry of a list of sources, checked before any file is opened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, TypeVar

from src.datamodules.recordings.sources.times import parse_time, shown
from src.errors import UserError
from src.paths import inside

SUFFIXES = {
    "file": (".wav", ".flac", ".aiff", ".aif", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".mka"),
    "video": (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".flv"),
}
"""Suffixes of sound files and of films."""

_STAMPS = "time_stamps_to_extract"
_KEYS = (*SUFFIXES, "labels", _STAMPS, "description")
_NOT_IN_LABELS = "[]|/\\\0"  # they separate labels in names of clips and in the manifest


T = TypeVar("T")


@dataclass(frozen=True)
class Passage:
    """An interval of a file, in seconds from its start."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Entry:
    """Passages of a file that have the same labels.

    Attributes:
        number: its position in the list, from 1.
        source: the file, relative to the root, with `/`.
        labels: names of classes, the primary one first.
        passages: those to extract; `None`: the whole file.
        description: free text of the list's author.
    """

    number: int
    source: str
    labels: tuple[str, ...]
    passages: tuple[Passage, ...] | None
    description: str = ""


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Check the names of classes.

    Raises:
        UserError: there is none, one occurs twice, or one cannot be part of a clip's name.
    """
    names = tuple(classes) if not isinstance(classes, str) else ()
    if not names or len(set(names)) < len(names):
        raise UserError(f"data.classes={classes}: give a list of different names")
    for name in names:
        if not isinstance(name, str) or not name.strip() or set(name) & set(_NOT_IN_LABELS):
            raise UserError(f"data.classes: {name!r} cannot name a class; leave out [ ] | / and \\")
    return names


def parse_entry(raw: Any, number: int, root: Path, classes: Sequence[str]) -> tuple[Entry | None, list[str]]:
    """Check one entry.

    Args:
        raw: what JSON holds.
        number: its position in the list, from 1.
        root: the folder that its path is relative to, and must not leave.
        classes: the labels that are allowed.

    Returns:
        The entry with its correct passages, or `None` if it has none or anything else is wrong; and the problems, one
        line each.
    """
    if not isinstance(raw, dict):
        return None, [f'entry {number}: it is not an object; write {{"file": …, "labels": […]}}']
    problems: list[str] = []
    unknown = sorted(set(raw) - set(_KEYS))
    if unknown:
        problems.append(f"unknown {', '.join(unknown)}; the keys are {', '.join(_KEYS)}")
    source = _checked(problems, _source, raw, root)
    labels = _checked(problems, _labels, raw.get("labels"), classes)
    if not isinstance(raw.get("description", ""), str):
        problems.append("description is not text")
    stamps = raw.get(_STAMPS, [])
    if not isinstance(stamps, list):
        problems.append(f'{_STAMPS} is not a list; write [["0:18", "2:05"]], or [] for the whole file')
    entry = None
    if not problems and source is not None and labels is not None:
        checked = [_checked(problems, _passage, stamp) for stamp in stamps]
        passages = tuple(passage for passage in checked if passage is not None)
        if passages or not stamps:
            entry = Entry(number, source, labels, passages if stamps else None, raw.get("description", ""))
    return entry, [f"{_title(raw, number)}: {problem}" for problem in problems]


def _checked(problems: list[str], check: Callable[..., T], *values: Any) -> T | None:
    try:
        return check(*values)
    except UserError as error:
        problems.append(str(error))
        return None


def _title(raw: dict[str, Any], number: int) -> str:
    name = next((raw[kind] for kind in SUFFIXES if isinstance(raw.get(kind), str)), None)
    if name is None:
        return f"entry {number}"
    return f"entry {number} ({name if name.isprintable() else shown(name)})"


def _source(raw: dict[str, Any], root: Path) -> str:
    kinds = [kind for kind in SUFFIXES if kind in raw]
    if len(kinds) != 1:
        raise UserError("give either file (sound) or video")
    kind, name = kinds[0], raw[kinds[0]]
    if not isinstance(name, str) or not name or "\0" in name:
        raise UserError(f"{kind} is {shown(name)}; give a path")
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES[kind]:
        other_kind = next((known for known in SUFFIXES if suffix in SUFFIXES[known]), None)
        hint = f"write it as {other_kind}" if other_kind else f"known are {', '.join(SUFFIXES[kind])}"
        raise UserError(f"{kind} ends in {suffix or 'no suffix'}; {hint}")
    return _inside(root, name)


def _inside(root: Path, name: str) -> str:
    """Return the path of a file relative to the root, with links followed: no film has two names."""
    if (
        PureWindowsPath(name).drive or ".." in PureWindowsPath(name).parts
    ):  # on every system, since lists are shared
        raise UserError("its path is absolute or has '..'; give one inside data.root")
    root = root.resolve()
    try:
        path = inside(root, name).resolve()
    except UserError as error:
        raise UserError(f"its path {error}; put the file into {root} or correct the path") from None
    if not path.is_relative_to(root):
        raise UserError("a link leads out of data.root; put the file itself there")
    return path.relative_to(root).as_posix()


def _labels(value: Any, classes: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise UserError("labels is not a list of names; give at least one label, the primary one first")
    unknown = [label for label in value if not isinstance(label, str) or label not in classes]
    if unknown:
        raise UserError(f"label {shown(unknown[0])} is unknown; the classes are {', '.join(classes)}")
    if len(set(value)) < len(value):
        raise UserError("a label occurs twice")
    return tuple(value)


def _passage(stamp: Any) -> Passage:
    if not isinstance(stamp, list) or len(stamp) != 2:
        raise UserError(f"passage {shown(stamp)}: give [start, end]")
    start_s, end_s = (parse_time(time) for time in stamp)
    if start_s >= end_s:
        raise UserError(f"passage {shown(stamp)}: the start is not before the end")
    return Passage(start_s, end_s)
