"""Checks of splits: none is empty, each class is in the training split, no group is in two."""

from collections import Counter
from collections.abc import Sequence

from src.errors import UserError
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


def check_filled(name: str, recordings: Sequence[Recording], remedy: str) -> None:
    """Refuse an empty split.

    Args:
        name: of the data set.
        recordings: each with its split.
        remedy: for the message.

    Raises:
        UserError: a split has no recording.
    """
    sizes = Counter(recording.split for recording in recordings)
    for split in SPLITS:
        if not sizes[split]:
            found = ", ".join(f"{other} has {sizes[other]}" for other in SPLITS)
            raise UserError(f"{name}: the {split} split has no recording ({found}); {remedy}")


def check_classes(name: str, recordings: Sequence[Recording], classes: Sequence[str]) -> None:
    """Refuse splits that leave a class without a training recording.

    Args:
        name: of the data set.
        recordings: each with its split.
        classes: that must be in `train`.

    Raises:
        UserError: a class is missing there.
    """
    trained = {label for item in recordings if item.split == "train" for label in item.labels}
    untrained = [label for label in classes if label not in trained]
    if untrained:
        raise UserError(
            f"{name}: the train split has no recording of {', '.join(untrained)}; give more files, or leave the class "
            "out"
        )


def check_groups(name: str, recordings: Sequence[Recording], groups: Sequence[str]) -> None:
    """Refuse a group in two splits.

    Args:
        name: of the data set.
        recordings: each with its split.
        groups: of each recording, before groups were united.

    Raises:
        UserError: a group is in two splits; the message names two of its recordings.
    """
    first: dict[str, Recording] = {}
    for group, recording in zip(groups, recordings, strict=True):
        earlier = first.setdefault(group, recording)
        if earlier.split != recording.split:
            raise UserError(
                f"{name}: {earlier.path} is in {earlier.split} and {recording.path} in {recording.split}, but both "
                f"belong to the group {group}; correct the column group, or the column split"
            )
