"""Tables of the items that are used and of those that are left out, for people to read."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from src.datamodules.window_plan import Plan
from src.fingerprint import write_text
from src.splitting.recording import Recording


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


def write_left_out(path: Path, left_out: Sequence[tuple[str, str]]) -> bool:
    """Write path and reason of the recordings that are not used; return whether that changed the file."""
    return _write(path, ("path", "reason"), left_out)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    if path.exists() and path.read_bytes() == text.getvalue().encode():
        return False
    write_text(path, text.getvalue())
    return True
