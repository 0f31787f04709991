"""Which recordings are used, which split each is in, and how many windows it has."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.datamodules.window_features import samples_at, window_starts
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


@dataclass(frozen=True, eq=False)
class Plan:
    """The recordings that are used, in the order `train`, `val`, `test`, and their windows.

    Attributes:
        recordings: each with its split.
        seconds: float64 (n,), their lengths.
        counts: int64 (n,), windows of each; they are the items, one recording after another.
        starts: int64 (n_items,), where each window begins, samples at the wanted rate.
    """

    recordings: list[Recording]
    seconds: np.ndarray
    counts: np.ndarray
    starts: np.ndarray

    @property
    def recording(self) -> np.ndarray:
        """Which recording each item is a window of, int64 (n_items,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def groups(self) -> np.ndarray:
        """A hash of the group of each recording, uint64 (n,)."""
        return np.array([_digest(recording.group) for recording in self.recordings], np.uint64)

    @property
    def n_items(self) -> dict[str, int]:
        """Windows of each split."""
        return {split: int(self.counts[self.of_split(split)].sum()) for split in SPLITS}

    def of_split(self, split: str) -> slice:
        """Return which of the recordings are in a split."""
        sizes = Counter(recording.split for recording in self.recordings)
        start = sum(sizes[before] for before in SPLITS[: SPLITS.index(split)])
        return slice(start, start + sizes[split])


def planned(
    recordings: Sequence[Recording],
    frames: np.ndarray,
    rates: np.ndarray,
    *,
    sample_rate: int,
    length: int,
    stride: int,
) -> Plan:
    """Order recordings by split, and plan their windows.

    Args:
        recordings: each with its split.
        frames: (n,), samples of each.
        rates: (n,), Hz.
        sample_rate: wanted, in Hz.
        length: of a window, samples at that rate.
        stride: from one window to the next, likewise.
    """
    order = sorted(range(len(recordings)), key=lambda number: SPLITS.index(str(recordings[number].split)))
    frames, rates = frames[order], rates[order]
    windows = [
        window_starts(samples_at(int(samples), int(rate), sample_rate), length, stride)
        for samples, rate in zip(frames, rates, strict=True)
    ]
    counts = np.array([len(starts) for starts in windows], np.int64)
    starts = np.array([start for starts in windows for start in starts], np.int64)
    return Plan([recordings[number] for number in order], frames / rates, counts, starts)


def targets_of(recordings: Sequence[Recording], classes: Sequence[str], *, one_class: bool) -> np.ndarray:
    """Return the labels of recordings as targets.

    Args:
        recordings: all their labels must be classes.
        classes: names.
        one_class: whether the target is the number of the first label instead of a mark for each class.

    Returns:
        int64 (n,) with `one_class`, else uint8 (n, n_classes), 0 or 1.
    """
    place = {name: number for number, name in enumerate(classes)}
    if one_class:
        return np.array([place[recording.labels[0]] for recording in recordings], np.int64)
    marks = np.zeros((len(recordings), len(classes)), np.uint8)
    for row, recording in zip(marks, recordings, strict=True):
        row[[place[label] for label in recording.labels]] = 1
    return marks


def checked_labels(recording: Recording, classes: Sequence[str], *, one_class: bool) -> Recording:
    """Return the recording, with a `problem` if its labels cannot be used.

    Args:
        recording: if it already has a problem, it keeps that one.
        classes: names.
        one_class: whether it must have a single label.
    """
    unknown = [label for label in recording.labels if label not in classes]
    problem = ""
    if unknown:
        problem = f"is labelled {unknown[0]}, which is not one of the classes"
    elif not recording.labels or (one_class and len(recording.labels) > 1):
        problem = f"has {len(recording.labels) or 'no'} label(s)"
    return replace(recording, problem=recording.problem or problem)


def _digest(text: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(text.encode(errors="backslashreplace"), digest_size=8).digest(), "little"
    )
