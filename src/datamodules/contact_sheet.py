"""A few items of prepared data for people to listen to and look at, and how often each class occurs."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
import soundfile

from src.audio.mel import LogMel
from src.errors import printable
from src.spreadsheets import TableWriter

_CLIPS_EACH = 2
_LONGEST_NAME = 180  # characters; file systems end at 255

WriteItem = Callable[[int, Path], None]
"""Writes a training item, by its number, to files that begin with a path."""


def write_contact_sheet(
    folder: Path, write: WriteItem, classes: Sequence[str], targets: Mapping[str, np.ndarray]
) -> None:
    """Write items of each class and of each number of classes at once.

    Args:
        folder: created if it is missing.
        write: writes an item, for instance with `write_clip`.
        classes: their names.
        targets: (n, n_classes), 0 or 1, by split, `train` first; the items are training items.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in _chosen(targets["train"]):
        names = [name for name, plays in zip(classes, targets["train"][index], strict=True) if plays]
        plain = re.sub(r"[^\w+]", "-", "+".join(names))[:_LONGEST_NAME]
        write(index, folder / f"{len(names)}_{plain}_train{index:05d}")
    counts = {split: marks.sum(axis=0, dtype=int).tolist() for split, marks in targets.items()}
    sizes = {split: len(marks) for split, marks in targets.items()}
    _write_balance(folder / "classes.csv", classes, counts, sizes)
    shares = {split: np.mean(marks, axis=0) for split, marks in targets.items()}
    _draw_balance(folder / "classes.png", classes, shares)


def write_sound(stem: Path, waveform: np.ndarray, sample_rate: int) -> None:
    """Write a sound (channels, samples), scaled to 0.9, as `.wav`; `stem` is its path without suffix."""
    peak = max(float(np.abs(waveform).max()), 1e-9)
    soundfile.write(named(stem, ".wav"), 0.9 * waveform.T / peak, sample_rate, subtype="PCM_16")


def write_clip(stem: Path, waveform: np.ndarray, spectrogram: np.ndarray, mel: LogMel) -> None:
    """Write a sound, scaled to 0.9, as `.wav`, and its spectrogram as `.png`.

    Args:
        stem: path without suffix.
        waveform: (channels, samples).
        spectrogram: (channels, n_mels, frames).
        mel: the transform that made it.
    """
    write_sound(stem, waveform, mel.sample_rate)
    figure = matplotlib.figure.Figure(figsize=(7, 3 * len(spectrogram)), layout="constrained")
    for axes, decibels in zip(
        figure.subplots(len(spectrogram), squeeze=False)[:, 0], spectrogram, strict=True
    ):
        image = axes.imshow(
            decibels.astype(np.float32),
            origin="lower",
            aspect="auto",
            extent=(0, waveform.shape[1] / mel.sample_rate, 0, len(decibels)),
        )
        axes.set(xlabel="time (s)", ylabel="mel band")
        figure.colorbar(image, label="deviations" if mel.scaling == "z_norm" else "dB")
    figure.suptitle(printable(stem.name))
    figure.savefig(named(stem, ".png"))


def named(stem: Path, suffix: str) -> Path:
    """Append a suffix to a name that may contain dots."""
    return stem.with_name(stem.name + suffix)


def _chosen(targets: np.ndarray) -> list[int]:
    """Choose a few items for each number of classes, then for each class those with the fewest other classes."""
    counts = targets.sum(axis=1, dtype=int)
    chosen = {
        int(index) for count in np.unique(counts) for index in np.flatnonzero(counts == count)[:_CLIPS_EACH]
    }
    for marks in targets.T:
        plays = np.flatnonzero(marks)
        chosen |= set(plays[np.argsort(counts[plays], kind="stable")][:_CLIPS_EACH].tolist())
    return sorted(chosen)


def _write_balance(
    path: Path, classes: Sequence[str], counts: Mapping[str, list[int]], sizes: Mapping[str, int]
) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        columns = (f"{split}_{kind}" for split in counts for kind in ("clips", "share"))
        table = TableWriter(file, ["class", *columns])
        for position, name in enumerate(classes):
            cells = [(marks[position], marks[position] / sizes[split]) for split, marks in counts.items()]
            table.write([[name, *(text for clips, share in cells for text in (clips, f"{share:.4f}"))]])


def _draw_balance(path: Path, classes: Sequence[str], shares: Mapping[str, np.ndarray]) -> None:
    figure = matplotlib.figure.Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(shares)
    for number, (split, share) in enumerate(shares.items()):
        axes.bar(np.arange(len(classes)) + number * width, share, width, label=split)
    ticks = np.arange(len(classes)) + 0.4 - width / 2
    axes.set_xticks(ticks, list(map(printable, classes)), rotation=40, ha="right")
    axes.set(ylabel="share of the clips", ylim=(0, None))
    axes.legend()
    figure.savefig(path)
