"""Recordings divided into training, validation and test, no group on two sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from src.errors import UserError
from src.recordings.recording import Recording

SPLITS = ("train", "val", "test")


def checked_shares(split: Mapping[str, float], parts: Sequence[str]) -> dict[str, float]:
    """Check the shares of the parts that are drawn.

    Args:
        split: the option.
        parts: its names, of `val` and `test`.

    Raises:
        UserError: a share is missing or not above 0, or they leave nothing to train on.
    """
    numbers = [float(share) for share in split.values() if isinstance(share, int | float)]
    if sorted(split) != sorted(parts) or len(numbers) != len(parts) or min(numbers) <= 0 or sum(numbers) >= 1:
        wanted = ", ".join(f"{part}: share" for part in parts)
        raise UserError(f"data.split={dict(split)}: give {{{wanted}}}, each > 0, together < 1.")
    return {part: float(split[part]) for part in parts}


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
    groups, labels = [recording.group for recording in free], [recording.labels[0] for recording in free]
    drawn = iter(divide(groups, labels, shares or {}, seed or 0))
    whole = [item if item.split else replace(item, split=next(drawn)) for item in recordings]
    sizes = Counter(recording.split for recording in whole)
    for split in SPLITS:
        if not sizes[split]:
            found = ", ".join(f"{sizes[part]} of {part}" for part in SPLITS)
            raise UserError(f"{name}: no recording is left for {split} (there are {found}); {remedy}")
    return whole


def divide(groups: Sequence[str], labels: Sequence[str], shares: Mapping[str, float], seed: int) -> list[str]:
    """Divide recordings so that no group is on two sides and each label is on all sides if it can be.

    The groups of one label after the other are drawn in random order; each goes to the first part that is still
    owed half of it at least, else to `train`. What a part is owed too much or too little is made up for at the
    next label, so that the shares are kept of the whole, too. A part gets one recording at least.

    Args:
        groups: a name for each recording.
        labels: of each recording; that of a group is its first recording's.
        shares: of the recordings, by part.
        seed: of the draw, >= 0.

    Returns:
        The part of each recording: `train` or a key of `shares`.
    """
    sizes: dict[str, int] = {}
    strata: dict[str, list[str]] = {}
    for group, label in zip(groups, labels, strict=True):
        if group not in sizes:
            strata.setdefault(label, []).append(group)
        sizes[group] = sizes.get(group, 0) + 1
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
    return [chosen[group] for group in groups]
