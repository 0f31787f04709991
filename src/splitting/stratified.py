"""The stratified draw: recordings with labels into training, validation and test, no group in two splits."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np


def stratified_group_split(
    groups: Sequence[str], labels: Sequence[Sequence[str]], shares: Mapping[str, float], seed: int
) -> list[str]:
    """Assign recordings to splits: no group is in two, `train` has each label, and the others too if they can.

    The groups of one label after the other are drawn in random order; each goes to the first split that is still owed
    half of it at least, else to `train`. What a split is owed too much or too little is made up for at the next label,
    so that the shares are kept of the whole, too. A split is owed one recording at least. Where `train` has none of a
    label then, a group that has it changes places with one of `train` that can be spared.

    Args:
        groups: a name for each recording.
        labels: of each recording, one at least; a group is drawn with the first label of its first recording.
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
    # Each stratum adds its share to what a split is owed, and each group that a split gets is taken off.
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
    """Let the smallest group of each label that `train` lacks change places with one whose labels others have, too.

    Of those the one that is nearest in size goes, and of these one whose first label the split has too little of.

    Args:
        chosen: the split of each group; it is changed.
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
    """Count how many recordings a split has too few of, by the first label of their groups."""
    wanting: dict[str, float] = {}
    for group, of_group in names.items():
        label = next(iter(of_group))
        wanting[label] = wanting.get(label, 0.0) + sizes[group] * (share - (chosen[group] == split))
    return wanting
