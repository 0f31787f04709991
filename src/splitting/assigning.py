"""Recordings, each in its split: those of a data set that come without one are drawn, then all are checked."""

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
    """Recordings and their splits.

    Attributes:
        recordings: each with its split.
        duplicates: how many of `val` have audio that is in `train`, too, and of `test` in `train` or `val`.
    """

    recordings: list[Recording]
    duplicates: dict[str, int]

    def say_duplicates(self, name: str) -> None:
        """Tell the user of duplicates, if there are any.

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

    A published data set may lack classes altogether, and its own splits may share audio.

    Args:
        name: of the data set.
        recordings: with and without a split.
        digests: uint64 (n,), hashes of their audio.
        classes: names of all.
        shares: see `src.splitting.stratified.stratified_group_split`, as for `seed`.
        seed: of the draw.
        published: whether it is not the user's own.
        remedy: what can be done where a split has no recording.

    Raises:
        UserError: a split is empty, a class is not in `train`, a group is in two splits, or so is audio of one's own.
    """
    grouped = with_duplicates_grouped(recordings, digests)
    whole = with_drawn_splits(grouped, shares, seed)
    check_filled(name, whole, remedy)
    check_groups(name, whole, [recording.group for recording in recordings])
    present = {label for recording in recordings for label in recording.labels}
    check_classes(name, whole, [label for label in classes if not published or label in present])
    duplicates = duplicates_across_splits(whole, digests)
    pairs = [pair for of_split in duplicates.values() for pair in of_split]
    if pairs and not published:
        one, other = pairs[0]
        raise UserError(
            f"{name}: {one.path} in {one.split} and {other.path} in {other.split} are the same sound; "
            "give both the same split, or take one out"
        )
    return AssignedSplits(whole, {split: len(of_split) for split, of_split in duplicates.items()})


def with_drawn_splits(
    recordings: Sequence[Recording], shares: Mapping[str, float] | None, seed: int | None
) -> list[Recording]:
    """Return recordings of which those without a split have one that was drawn.

    Args:
        recordings: with and without a split.
        shares: see `stratified_group_split`; needed where some have none, as is the seed.
        seed: of the draw, >= 0.
    """
    free = [recording for recording in recordings if recording.split is None]
    groups, labels = [recording.group for recording in free], [recording.labels for recording in free]
    drawn = iter(stratified_group_split(groups, labels, shares or {}, seed or 0))
    return [item if item.split else replace(item, split=next(drawn)) for item in recordings]
