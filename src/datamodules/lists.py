"""The items that are used and those that are left out: tables for people to read, messages, and a check."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from src.datamodules.window_plan import Plan
from src.errors import UserError
from src.fingerprint import write_text
from src.messages import say
from src.splitting.recording import Recording
from src.spreadsheets import TableWriter

_NAMED = 10  # files that are named on the terminal; left_out.csv has all

LeftOut = Sequence[tuple[str, str]]
"""Path and reason of each file that is left out."""


def write_manifest(path: Path, plan: Plan) -> None:
    """Write the recordings that are used: path, labels (joined by `|`), group, split, seconds and windows."""
    rows = (
        (item.path, "|".join(item.labels), item.group, item.split, f"{seconds:.3f}", windows)
        for item, seconds, windows in zip(plan.recordings, plan.seconds, plan.counts, strict=True)
    )
    _write(path, ("path", "labels", "group", "split", "seconds", "windows"), rows)


def write_sequences(path: Path, items: Sequence[Recording], frames: Sequence[int]) -> None:
    """Write the items that are used: path, labels (joined by `|`), group, split and frames."""
    rows = (
        (item.path, "|".join(item.labels), item.group, item.split, int(count))
        for item, count in zip(items, frames, strict=True)
    )
    _write(path, ("path", "labels", "group", "split", "frames"), rows)


def write_left_out(path: Path, left_out: LeftOut) -> bool:
    """Write path and reason of the recordings that are not used; return whether that changed the file."""
    return _write(path, ("path", "reason"), left_out)


def say_left_out(name: str, left_out: LeftOut, total: int) -> None:
    """Print the first ten files that are left out and their number; print nothing where there are none.

    Args:
        name: of the data set.
        left_out: the files that are not used.
        total: number of all files.
    """
    for path, reason in left_out[:_NAMED]:
        say(f"{name}: left out: {path} {reason}")
    if left_out:
        say(f"{name}: {len(left_out)} of {total} files are left out; see left_out.csv")


def check_left_out(name: str, left_out: LeftOut, total: int, max_share: float, listed_in: str = "") -> None:
    """Check that not too many files are left out.

    Args:
        name: of the data set.
        left_out: the files that are not used.
        total: number of all files.
        max_share: the greatest share that may be left out, 0..1.
        listed_in: path of the file that lists them all, if one is written.

    Raises:
        UserError: more are left out; the message names the first ten.
    """
    if len(left_out) <= max_share * total:
        return
    examples = "; ".join(f"{path} {reason}" for path, reason in left_out[:_NAMED])
    more = f"; {listed_in} lists them all" if listed_in and len(left_out) > _NAMED else ""
    raise UserError(
        f"{name}: {len(left_out)} of {total} files cannot be used: {examples}{more}; repair them or get them again, or "
        f"allow a greater share than data.max_bad={max_share:g}"
    )


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    text = io.StringIO(newline="")
    TableWriter(text, header).write(rows)
    if path.exists() and path.read_bytes() == text.getvalue().encode(errors="backslashreplace"):
        return False
    write_text(path, text.getvalue())
    return True
