"""The stratified draw: recordings with labels into training, validation and test, no group in two splits."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np


def stratified_group_split(
    groups: Sequence[str], labels: Sequence[Sequence[str]], shares: Mapping[str, float], seed: int
) -> list[str]:
    """Assign recordings to splits: no group is in two, `train` has every label, and the others too where possible.

    Label by label, groups are drawn in random order; each goes to the first split that is owed at least half of the
    group's size, else to `train`. What a split got too much or too little is carried over to the next label, so that
    the shares hold for the whole data set, too. Each split is owed at least one recording. Where `train` then lacks a
    label, a group with that label swaps places with a group of `train` that can be spared.

    Args:
        groups: name of each recording's group.
        labels: of each recording, at least one; a group is drawn with the first label of its first recording.
        shares: of the recordings, by split.
        seed: of the draw, >= 0.

    Returns:
        The split of each recording: `train` or a key of `shares`.
    """
    # Strata: the groups by the first label of their first recording.
    sizes = Counter(groups)
    first: dict[str, str] = {}
    for group, names in zip(groups, labels, strict=True):
        first.setdefault(group, names[0])
    strata: dict[str, list[str]] = {}
    for group, label in first.items():
        strata.setdefault(label, []).append(group)
    # Each stratum adds its share to what a split is owed; each group that goes to a split is deducted.
    rng = np.random.default_rng(seed)
    owed = {split: max(0.0, 1 - share * len(groups)) for split, share in shares.items()}
    chosen: dict[str, str] = {}
    for label in sorted(strata):
        for split, share in shares.items():
            owed[split] += share * sum(sizes[group] for group in strata[label])
        for number in rng.permutation(len(strata[label])):
            group = strata[label][number]
            chosen[group] = next((split for split in shares if owed[split] >= sizes[group] / 2), "train")
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
    """Swap the smallest group of each label that `train` lacks with a group whose labels other groups of `train` have.

    Among those the nearest in size is chosen, and among equally near ones one whose first label the split lacks most.

    Args:
        chosen: the split of each group; changed in place.
        groups: see `stratified_group_split`.
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
        split = chosen[coming]
        spare = [
            group
            for group in names
            if chosen[group] == "train" and all(trained[other] > 1 for other in names[group])
        ]
        if spare:
            wanting = _wanting(chosen, names, sizes, split, shares[split])
            going = min(
                spare,
                key=lambda group: (abs(sizes[group] - sizes[coming]), -wanting[next(iter(names[group]))]),
            )
            chosen[going] = split
            trained.subtract(names[going].keys())
        chosen[coming] = "train"
        trained.update(names[coming].keys())


def _wanting(
    chosen: Mapping[str, str],
    names: Mapping[str, Mapping[str, None]],
    sizes: Mapping[str, int],
    split: str,
    share: float,
) -> dict[str, float]:
    """Return by how many recordings a split falls short of its share, by the first label of their groups."""
    wanting: dict[str, float] = {}
    for group, of_group in names.items():
        label = next(iter(of_group))
        wanting[label] = wanting.get(label, 0.0) + sizes[group] * (share - (chosen[group] == split))
    return wanting
