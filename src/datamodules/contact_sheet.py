"""A few clips of prepared data to hear and to look at, and how often each class occurs."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
import soundfile

from src.datamodules.synth_clips import ClipMaker

_CLIPS_EACH = 2
_LONGEST_NAME = 180  # characters; file systems end at 255


def write_contact_sheet(
    folder: Path, maker: ClipMaker, classes: Sequence[str], targets: Mapping[str, np.ndarray]
) -> None:
    """Write clips of each class and of each number of instruments, made again from their pieces.

    Args:
        folder: where to; it is made.
        maker: makes the clips.
        classes: their names.
        targets: (n, n_classes), 0 or 1, by split, `train` first; the clips are training clips.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in _chosen(targets["train"]):
        names = [name for name, plays in zip(classes, targets["train"][index], strict=True) if plays]
        plain = re.sub(r"[^\w+]", "-", "+".join(names))[:_LONGEST_NAME]
        _write_clip(folder / f"{len(names)}_{plain}_train{index:05d}", maker, index)
    counts = {split: marks.sum(axis=0, dtype=int).tolist() for split, marks in targets.items()}
    _write_balance(
        folder / "classes.csv", classes, counts, {split: len(part) for split, part in targets.items()}
    )
    _draw_balance(folder / "classes.png", classes, {s: np.mean(part, axis=0) for s, part in targets.items()})


def _chosen(targets: np.ndarray) -> list[int]:
    """Choose clips of each number of instruments, then of each class those with the fewest others."""
    counts = targets.sum(axis=1, dtype=int)
    chosen = {
        int(index) for count in np.unique(counts) for index in np.flatnonzero(counts == count)[:_CLIPS_EACH]
    }
    for marks in targets.T:
        plays = np.flatnonzero(marks)
        chosen |= set(plays[np.argsort(counts[plays], kind="stable")][:_CLIPS_EACH].tolist())
    return sorted(chosen)


def _write_clip(stem: Path, maker: ClipMaker, index: int) -> None:
    score, soundfont = maker.piece(index)
    waveform = maker.waveform(score, soundfont)
    peak = max(float(np.abs(waveform).max()), 1e-9)
    score.save(_named(stem, ".mid"))
    soundfile.write(_named(stem, ".wav"), 0.9 * waveform / peak, maker.mel.sample_rate, subtype="PCM_16")
    _draw_spectrogram(_named(stem, ".png"), maker.log_mel(waveform), maker)


def _named(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _draw_spectrogram(path: Path, decibels: np.ndarray, maker: ClipMaker) -> None:
    figure = matplotlib.figure.Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(
        decibels.astype(np.float32),
        origin="lower",
        aspect="auto",
        extent=(0, maker.score.clip_seconds, 0, len(decibels)),
    )
    axes.set(xlabel="time (s)", ylabel="mel band", title=path.stem)
    figure.colorbar(image, label="dB")
    figure.savefig(path)


def _write_balance(
    path: Path, classes: Sequence[str], counts: Mapping[str, list[int]], sizes: Mapping[str, int]
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["class", *(f"{split}_{kind}" for split in counts for kind in ("clips", "share"))])
        for position, name in enumerate(classes):
            cells = [(marks[position], marks[position] / sizes[split]) for split, marks in counts.items()]
            writer.writerow([name, *(text for clips, share in cells for text in (clips, f"{share:.4f}"))])


def _draw_balance(path: Path, classes: Sequence[str], shares: Mapping[str, np.ndarray]) -> None:
    figure = matplotlib.figure.Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(shares)
    for number, (split, share) in enumerate(shares.items()):
        axes.bar(np.arange(len(classes)) + number * width, share, width, label=split)
    axes.set_xticks(np.arange(len(classes)) + 0.4 - width / 2, classes, rotation=40, ha="right")
    axes.set(ylabel="share of the clips", ylim=(0, None))
    axes.legend()
    figure.savefig(path)
