"""What is wrong with splits: a class that is never trained on, a group in two splits, a split without recordings."""

from collections import Counter
from collections.abc import Sequence

from src.errors import UserError
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


def check_filled(name: str, recordings: Sequence[Recording], remedy: str) -> None:
    """Refuse splits of which one has no recording.

    Args:
        name: of the data set.
        recordings: each with its split.
        remedy: what can be done about it.

    Raises:
        UserError: there is such a split.
    """
    sizes = Counter(recording.split for recording in recordings)
    for split in SPLITS:
        if not sizes[split]:
            found = ", ".join(f"{sizes[other]} of {other}" for other in SPLITS)
            raise UserError(f"{name}: no recording is left for {split} (there are {found}); {remedy}")


def check_classes(name: str, recordings: Sequence[Recording], classes: Sequence[str]) -> None:
    """Refuse splits that leave a class without a recording to train on.

    Args:
        name: of the data set.
        recordings: each with its split.
        classes: those that must be trained.

    Raises:
        UserError: there is such a class.
    """
    trained = {label for item in recordings if item.split == "train" for label in item.labels}
    untrained = [label for label in classes if label not in trained]
    if untrained:
        raise UserError(
            f"{name}: no recording of {', '.join(untrained)} is left for train; give more files of it, or leave it out"
        )


def check_groups(name: str, recordings: Sequence[Recording], groups: Sequence[str]) -> None:
    """Refuse a group in two splits.

    Args:
        name: of the data set.
        recordings: each with its split.
        groups: of each recording, as they are given.

    Raises:
        UserError: there is such a group; the message names two of its recordings.
    """
    first: dict[str, Recording] = {}
    for group, recording in zip(groups, recordings, strict=True):
        other = first.setdefault(group, recording)
        if other.split != recording.split:
            raise UserError(
                f"{name}: {other.path} is in {other.split} and {recording.path} in {recording.split}, and both are "
                f"of the group {group}; mend the column group, or the column split"
            )
