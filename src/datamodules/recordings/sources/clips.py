"""Clips as files: their names, their sound, and the table that describes them."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType

import numpy as np
import soundfile

from src.datamodules.recordings.sources.entry import Entry
from src.errors import UserError
from src.spreadsheets import TableWriter

MANIFEST = "manifest.csv"
"""Name of the table in the folder of the clips."""
COLUMNS = ("clip", "source", "entry", "labels", "start_s", "end_s", "sample_rate", "channels", "rms_dbfs")
_LONGEST_STEM = 120  # bytes; file systems end at 255


class ClipWriter:
    """Writes clips, and a row for each into `manifest.csv`; a context manager.

    Args:
        folder: must exist.
        sample_rate: of the clips, in Hz.
    """

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self._folder, self._rate = folder, sample_rate
        self._file = (folder / MANIFEST).open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self._table = TableWriter(self._file, COLUMNS)

    def __enter__(self) -> "ClipWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, window: np.ndarray, entry: Entry, stem: str, number: int, first: int) -> None:
        """Write a window as a 16-bit WAV file, and its row.

        Args:
            window: float32 (channels, samples), not silent; samples beyond -1..1 are clipped.
            entry: that it was cut out of.
            stem: of its file's clips.
            number: of the window in its file.
            first: its first sample in its file, at the clips' sample rate.
        """
        name = clip_name(entry.labels, stem, number)
        soundfile.write(self._folder / name, window.T, self._rate, subtype="PCM_16")
        channels, samples = window.shape
        start_s, end_s = first / self._rate, (first + samples) / self._rate
        rms = 10 * np.log10(np.square(window, dtype=np.float64).mean())
        labels = "|".join(entry.labels)
        times = f"{start_s:.6f}", f"{end_s:.6f}"
        row = (name, entry.source, entry.number, labels, *times, self._rate, channels, f"{rms:.2f}")
        self._table.write([row])


def read_manifest(folder: Path) -> list[dict[str, str]]:
    """Read the table of the clips in a folder: a dictionary for each row, with the keys `COLUMNS`."""
    with (folder / MANIFEST).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def clip_name(labels: Sequence[str], stem: str, number: int) -> str:
    """Return the name of a clip, `[label1][label2]<stem>__<i>.wav`.

    Raises:
        UserError: the name is longer than file systems allow.
    """
    name = "".join(f"[{label}]" for label in labels) + f"{stem}__{number}.wav"
    if len(os.fsencode(name)) > 255:
        raise UserError(f"a clip would be named {name}, which is too long; shorten the names of the classes")
    return name


def clip_stems(sources: Iterable[str]) -> dict[str, str]:
    """Return the stem that names the clips of each file: its own, or `<stem>~2` and so on where that is taken.

    Stems that differ in case only count as equal: some file systems cannot tell them apart.

    Args:
        sources: paths, each once.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for source in sources:
        plain = os.fsencode(PurePosixPath(source).stem)[-_LONGEST_STEM:].decode(errors="ignore")
        stem, number = plain, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}~{number}"
        taken.add(stem.casefold())
        stems[source] = stem
    return stems
