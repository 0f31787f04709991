"""A list of sources: which passages of which files to extract, and their labels, as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from src.audio.media import Media
from src.datamodules.recordings.sources.entry import Entry, Passage, check_classes, parse_entry
from src.datamodules.recordings.sources.times import written
from src.errors import UserError, wrong_json

ON_ERROR = ("stop", "skip")
_ROUNDING_S = 1e-3  # containers round lengths


def read_sources(
    path: Path, root: Path, classes: Sequence[str], *, on_error: str = "stop"
) -> tuple[list[Entry], list[str]]:
    """Read a list of sources and check everything that can be checked without decoding sound.

    The file holds a list of `{"file" or "video": path, "labels": [primary first, …], "time_stamps_to_extract":
    [["0:18", "2:05"], …], "description": text}`. Without time stamps the passage is the whole file. Times are read by
    `src.datamodules.recordings.sources.times.parse_time`. No two passages of a file may overlap, in one entry or in
    several.

    Args:
        path: the JSON file.
        root: the folder that paths in it are relative to.
        classes: the labels that are allowed.
        on_error: `stop`, or `skip`: wrong passages or entries are left out; of passages that overlap, the one listed
            first is kept.

    Returns:
        The entries, each with its passages; and the problems, one line each with the entry's number and file.

    Raises:
        UserError: the file is not a JSON list, or no entry can be used; with `stop`, there is any problem. The message
            lists all problems.
    """
    if on_error not in ON_ERROR:
        raise UserError(f"data.on_error={on_error}: choose {' or '.join(ON_ERROR)}.")
    names = check_classes(classes)
    # First each entry by itself: keys, labels, and the form of time stamps. No file is opened.
    parsed = [parse_entry(raw, number, root, names) for number, raw in enumerate(_read(path), 1)]
    problems = {number: lines for number, (_, lines) in enumerate(parsed, 1)}
    # Then the passages against the length of their file and against each other; this adds to `problems`.
    entries = _measured([entry for entry, _ in parsed if entry is not None], root, problems)
    # Both rounds are reported together, in the order of the list.
    lines = [line for number in sorted(problems) for line in problems[number]]
    if lines and (on_error == "stop" or not entries):
        hint = "" if on_error == "skip" else ", or leave them out with data.on_error=skip"
        raise UserError(
            f"{path}: {len(lines)} problem(s); correct them{hint}" + "".join(f"\n  {line}" for line in lines)
        )
    return entries, lines


def _read(path: Path) -> list[Any]:
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not a regular file; name a list of sources")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
        json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")  # no half of a pair
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); name a list of sources") from error
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}: line {error.lineno}, column {error.colno}: {error.msg}; correct the JSON"
        ) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a number too long, a key twice, too deep
        raise UserError(f"{path} is not JSON in UTF-8 ({wrong_json(error)}); correct it") from error
    if not isinstance(content, list) or not content:
        raise UserError(f'{path} has no list of sources; write [{{"file": …, "labels": […]}}, …]')
    return content


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} occurs twice in one entry")
        found[key] = value
    return found


def _measured(entries: Sequence[Entry], root: Path, problems: dict[int, list[str]]) -> list[Entry]:
    """Check passages against the lengths of files and against each other.

    Args:
        entries: those without problems so far.
        root: the folder that their paths are relative to.
        problems: lines by entry number; this function adds to them.

    Returns:
        The entries that have correct passages, with these only.
    """
    lengths: dict[str, float | UserError] = {}
    taken: dict[str, list[tuple[Passage, int]]] = {}
    usable = []
    for entry in entries:
        if entry.source not in lengths:
            lengths[entry.source] = _length(root / entry.source)
        length = lengths[entry.source]
        title = f"entry {entry.number} ({entry.source})"
        if isinstance(length, UserError):
            problems[entry.number].append(f"{title}: {length}")
            continue
        passages = []
        for passage in entry.passages or (Passage(0.0, length),):
            problem = _misplaced(passage, length, taken.setdefault(entry.source, []))
            if problem:
                problems[entry.number].append(f"{title}: {problem}")
            else:
                passages.append(passage)
                taken[entry.source].append((passage, entry.number))
        if passages:
            usable.append(replace(entry, passages=tuple(passages)))
    return usable


def _length(path: Path) -> float | UserError:
    try:
        with Media(path) as media:
            return media.duration_s
    except UserError as error:
        return error


def _misplaced(passage: Passage, length: float, taken: Iterable[tuple[Passage, int]]) -> str:
    """Return what is wrong with the position of a passage; empty if nothing is."""
    if length <= 0:
        return "the file has no sound"
    if passage.end_s > length + _ROUNDING_S:
        return f"passage {_range(passage)} ends after the sound, which is {written(length)} long"
    for earlier, number in taken:
        if passage.start_s < earlier.end_s and earlier.start_s < passage.end_s:
            return f"passage {_range(passage)} overlaps {_range(earlier)} of entry {number}"
    return ""


def _range(passage: Passage) -> str:
    return f"{written(passage.start_s)}–{written(passage.end_s)}"
