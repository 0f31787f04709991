"""Valence, energy and danceability of clips, from published feature files."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from src.datamodules.sequences.label_files import Label, LabelledFile, problem_of_numbers, read_numbers
from src.datamodules.sequences.label_pictures import draw_values
from src.datamodules.sequences.published_features import FeatureFileDataModule, FeatureFileOptions
from src.fingerprint import value_hash
from src.preparation.card import Card
from src.rules import some_of
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS

AXES = ("valence", "energy", "danceability")

_STRATUM = ("",)  # one label for all clips, so that splits are drawn from all of them at once


class MoodFeatures(FeatureFileDataModule):
    """Clips with one to three numbers from 0 to 1 to predict.

    The published test split has no labels, so a test split is drawn from the training split. If the folder does have
    labels of the test split, that is used.

    Args:
        axes: the numbers that are predicted, some of `AXES`.
        options: see `FeatureFileOptions`.

    Raises:
        UserError: an option lies outside its range, or a table cannot be used.
    """

    name = "mood_features"
    target = "regression"
    folder_name = "multitask_dataset"
    card = Card(
        name="Multitask mood feature files (patreco3)",
        url="https://www.kaggle.com/datasets/geoparslp/patreco3-multitask-affective-music",
        size="1,497 clips; one archive with the genre set",
        licence="FMA's metadata CC BY 4.0, its sound under each artist's own licence",
        citation=(
            "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson: FMA: A Dataset for Music Analysis, ISMIR 2017; "
            "feature files of the Pattern Recognition course of NTUA, lab 3"
        ),
        layout="multitask_dataset and multitask_dataset_beat",
    )

    class Options(FeatureFileOptions):
        """See `MoodFeatures`."""

        axes: Annotated[tuple[str, ...], some_of(*AXES)]

    options: Options

    def read_labels(self, table: Path) -> list[Label]:
        """Read the chosen axes of a table.

        Raises:
            UserError: it cannot be used.
        """
        return read_numbers(table, self.options.axes)

    def names(self) -> Sequence[str]:
        """Return the axes."""
        return self.options.axes

    def item(self, clip: LabelledFile, split: str | None) -> Recording:
        """Return a clip as an item, with a problem if a value is not a number from 0 to 1."""
        problem = clip.problem or problem_of_numbers(clip.values, self.options.axes)
        return Recording(path=clip.path, labels=_STRATUM, group=clip.clip, split=split, problem=problem)

    def targets(self, items: Sequence[Recording]) -> np.ndarray:
        """Return the numbers of items, float32 (n, n_axes), 0..1."""
        numbers = [self._numbers[item.path] for item in items]
        return np.array(numbers, np.float32).reshape(len(items), len(self.options.axes))

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the features, what is used of them, the split, and the numbers."""
        return {**super().recipe(), "numbers": value_hash(self._numbers)}

    def used_items(self) -> list[Recording]:
        """Return the items that are used, each with its split and, as labels, its numbers."""
        items = super().used_items()
        return [
            replace(
                item,
                labels=tuple(
                    f"{axis}={number:g}" for axis, number in zip(self.options.axes, of_item, strict=True)
                ),
            )
            for item, of_item in zip(items, self.targets(items), strict=True)
        ]

    def contact_sheet(self, folder: Path) -> None:
        """Write the training items with the lowest, the median and the highest number of each axis.

        Args:
            folder: gets pictures whose names contain the numbers, and `values.png`, their distribution by split.
        """
        folder.mkdir(parents=True, exist_ok=True)
        items = self.used_items()
        values = {split: self.targets([item for item in items if item.split == split]) for split in SPLITS}
        for index in _extremes(values["train"]):
            numbers = "_".join(label.replace("=", "") for label in items[index].labels)
            self.write_item(int(self.numbers["train"][index]), folder / f"{numbers}_train{index:05d}")
        draw_values(values, self.options.axes, folder / "values.png")

    @functools.cached_property
    def _numbers(self) -> dict[str, list[float]]:
        """The numbers of each clip with a valid label, by path."""
        labelled = [clip for _, clip in self.clips if clip.values]
        valid = [clip for clip in labelled if not problem_of_numbers(clip.values, self.options.axes)]
        return {clip.path: [float(text) for text in clip.values] for clip in valid}


def _extremes(values: np.ndarray) -> list[int]:
    """Return the indices of the items with the lowest, the median and the highest number of each axis."""
    order = np.argsort(values, axis=0, kind="stable")
    return sorted({int(index) for row in (0, len(order) // 2, -1) for index in order[row]})
