"""Recordings divided into training, validation and test, no group on two sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from src.errors import UserError
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


def divided(
    name: str,
    recordings: Sequence[Recording],
    shares: Mapping[str, float] | None,
    seed: int | None,
    remedy: str = "more are needed",
) -> list[Recording]:
    """Give recordings that have no part one, see `divide`.

    Args:
        name: of the data set.
        recordings: with and without a part.
        shares: see `divide`; needed where some have none, as is the seed.
        seed: of the draw, >= 0.
        remedy: what can be done where a part has no recording.

    Raises:
        UserError: a part has no recording.
    """
    free = [recording for recording in recordings if recording.split is None]
    groups, labels = [recording.group for recording in free], [recording.labels for recording in free]
    drawn = iter(divide(groups, labels, shares or {}, seed or 0))
    whole = [item if item.split else replace(item, split=next(drawn)) for item in recordings]
    sizes = Counter(recording.split for recording in whole)
    for split in SPLITS:
        if not sizes[split]:
            found = ", ".join(f"{sizes[part]} of {part}" for part in SPLITS)
            raise UserError(f"{name}: no recording is left for {split} (there are {found}); {remedy}")
    return whole


def check_classes(name: str, recordings: Sequence[Recording], classes: Sequence[str]) -> None:
    """Refuse a division that leaves a class without a recording to train on.

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
    """Refuse a division with a group on two sides.

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


def divide(
    groups: Sequence[str], labels: Sequence[Sequence[str]], shares: Mapping[str, float], seed: int
) -> list[str]:
    """Divide recordings so that no group is on two sides, `train` has each label, and the others too if they can.

    The groups of one label after the other are drawn in random order; each goes to the first part that is still owed
    half of it at least, else to `train`. What a part is owed too much or too little is made up for at the next label,
    so that the shares are kept of the whole, too. A part is owed one recording at least. Where `train` has none of a
    label then, a group that has it changes places with one of `train` that can be spared.

    Args:
        groups: a name for each recording.
        labels: of each recording, one at least; a group is drawn with the first label of its first recording.
        shares: of the recordings, by part.
        seed: of the draw, >= 0.

    Returns:
        The part of each recording: `train` or a key of `shares`.
    """
    sizes = Counter(groups)
    first: dict[str, str] = {}
    for group, names in zip(groups, labels, strict=True):
        first.setdefault(group, names[0])
    strata: dict[str, list[str]] = {}
    for group, label in first.items():
        strata.setdefault(label, []).append(group)
    rng = np.random.default_rng(seed)
    owed = {part: max(0.0, 1 - share * len(groups)) for part, share in shares.items()}
    chosen: dict[str, str] = {}
    for label in sorted(strata):
        for part, share in shares.items():
            owed[part] += share * sum(sizes[group] for group in strata[label])
        for number in rng.permutation(len(strata[label])):
            group = strata[label][number]
            chosen[group] = next((part for part in shares if owed[part] >= sizes[group] / 2), "train")
            if chosen[group] in owed:
                owed[chosen[group]] -= sizes[group]
    _train_every_label(chosen, groups, labels, shares)
    return [chosen[group] for group in groups]


def _train_every_label(
    chosen: dict[str, str],
    groups: Sequence[str],
    labels: Sequence[Sequence[str]],
    shares: Mapping[str, float],
) -> None:
    """Let the smallest group of each label that `train` lacks change places with one whose labels others have, too.

    Of those the one that is nearest in size goes, and of these one whose first label the part has too little of.

    Args:
        chosen: the part of each group; it is changed.
        groups: see `divide`.
        labels: likewise.
        shares: likewise.
    """
    sizes, names = Counter(groups), dict[str, dict[str, None]]()
    for group, of_recording in zip(groups, labels, strict=True):
        names.setdefault(group, {}).update(dict.fromkeys(of_recording))
    trained = Counter(label for group in names if chosen[group] == "train" for label in names[group])
    for label in sorted({label for of_group in names.values() for label in of_group}):
        if trained[label]:
            continue
        coming = min((group for group in names if label in names[group]), key=lambda group: sizes[group])
        part = chosen[coming]
        spare = [
            group
            for group in names
            if chosen[group] == "train" and all(trained[other] > 1 for other in names[group])
        ]
        if spare:
            wanting = _wanting(chosen, names, sizes, part, shares[part])
            going = min(
                spare,
                key=lambda group: (abs(sizes[group] - sizes[coming]), -wanting[next(iter(names[group]))]),
            )
            chosen[going] = part
            trained.subtract(names[going].keys())
        chosen[coming] = "train"
        trained.update(names[coming].keys())


def _wanting(
    chosen: Mapping[str, str],
    names: Mapping[str, Mapping[str, None]],
    sizes: Mapping[str, int],
    part: str,
    share: float,
) -> dict[str, float]:
    """Say how many recordings a part has too few of, by the first label of their groups."""
    wanting: dict[str, float] = {}
    for group, of_group in names.items():
        label = next(iter(of_group))
        wanting[label] = wanting.get(label, 0.0) + sizes[group] * (share - (chosen[group] == part))
    return wanting
