"""A picture of the features of an item, 140 rows."""

from pathlib import Path

import matplotlib.figure
import numpy as np

from src.datamodules.contact_sheet import named
from src.datamodules.sequences.rows import ROWS

PITCH_CLASSES = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")


def draw_features(features: np.ndarray, stem: Path, *, beats: bool) -> None:
    """Draw mel and chroma, one above the other.

    Args:
        features: float32 (140, T).
        stem: path without suffix.
        beats: whether a frame is a beat.
    """
    figure = matplotlib.figure.Figure(figsize=(8, 5), layout="constrained")
    mel, chroma = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    image = mel.imshow(features[ROWS["mel"]], origin="lower", aspect="auto", interpolation="nearest")
    mel.set(ylabel="mel band")
    figure.colorbar(image, ax=mel, label="dB")
    image = chroma.imshow(features[ROWS["chroma"]], origin="lower", aspect="auto", interpolation="nearest")
    chroma.set_yticks(range(len(PITCH_CLASSES)), PITCH_CLASSES)
    chroma.set(xlabel="beat" if beats else "frame", ylabel="pitch class")
    figure.colorbar(image, ax=chroma, label="strength")
    figure.suptitle(stem.name)
    figure.savefig(named(stem, ".png"))
