"""Assigns splits to recordings: draws those that the data set does not define, then checks all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.errors import UserError
from src.messages import say
from src.splitting.checks import check_classes, check_filled, check_groups
from src.splitting.duplicates import duplicates_across_splits, with_duplicates_grouped
from src.splitting.recording import Recording
from src.splitting.stratified import stratified_group_split

_EARLIER = {"val": ("validation", "training"), "test": ("test", "training or validation")}


@dataclass(frozen=True, eq=False)
class AssignedSplits:
    """Recordings with their splits.

    Attributes:
        recordings: each with its split.
        duplicates: by split, how many recordings duplicate audio of an earlier split: `val` of `train`, `test` of
            `train` or `val`.
    """

    recordings: list[Recording]
    duplicates: dict[str, int]

    def say_duplicates(self, name: str) -> None:
        """Print a line for each split with duplicates.

        Args:
            name: of the data set.
        """
        for split, count in self.duplicates.items():
            own, earlier = _EARLIER[split]
            if count:
                files = f"{count} {own} file duplicates" if count == 1 else f"{count} {own} files duplicate"
                say(f"{name}: {files} audio of the {earlier} split")


def assign_splits(
    name: str,
    recordings: Sequence[Recording],
    digests: np.ndarray,
    *,
    classes: Sequence[str],
    shares: Mapping[str, float] | None,
    seed: int | None,
    published: bool,
    remedy: str,
) -> AssignedSplits:
    """Draw splits for recordings that have none, and check all splits.

    In a published data set a class may have no recordings, and splits may share audio.

    Args:
        name: of the data set.
        recordings: with or without a split.
        digests: uint64 (n,), hashes of their audio.
        classes: names of all classes.
        shares: see `src.splitting.stratified.stratified_group_split`.
        seed: of the draw.
        published: whether the data set is published, rather than the user's own.
        remedy: for the message where a split is empty.

    Raises:
        UserError: a split is empty, a class is missing in `train`, or splits share a group or, unless published,
            audio.
    """
    grouped = with_duplicates_grouped(recordings, digests)
    assigned = with_drawn_splits(grouped, shares, seed)
    check_filled(name, assigned, remedy)
    check_groups(name, assigned, [recording.group for recording in recordings])
    present = {label for recording in recordings for label in recording.labels}
    check_classes(name, assigned, [label for label in classes if not published or label in present])
    duplicates = duplicates_across_splits(assigned, digests)
    pairs = [pair for of_split in duplicates.values() for pair in of_split]
    if pairs and not published:
        original, copy = pairs[0]
        raise UserError(
            f"{name}: {original.path} in {original.split} and {copy.path} in {copy.split} are the same sound; "
            "give both the same split, or remove one"
        )
    return AssignedSplits(assigned, {split: len(of_split) for split, of_split in duplicates.items()})


def with_drawn_splits(
    recordings: Sequence[Recording], shares: Mapping[str, float] | None, seed: int | None
) -> list[Recording]:
    """Return the recordings with a split drawn for each that has none.

    Args:
        recordings: with or without a split.
        shares: see `stratified_group_split`; needed where a recording has no split.
        seed: of the draw, >= 0; likewise.
    """
    free = [recording for recording in recordings if recording.split is None]
    groups, labels = [recording.group for recording in free], [recording.labels for recording in free]
    drawn = iter(stratified_group_split(groups, labels, shares or {}, seed or 0))
    return [item if item.split else replace(item, split=next(drawn)) for item in recordings]
