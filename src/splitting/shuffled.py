"""The shuffled draw: groups of pieces without labels into training, validation and test."""

from collections.abc import Mapping, Sequence

import numpy as np

from src.errors import UserError
from src.splitting.splits import SPLITS


def group_shuffle_split(groups: Sequence[str], shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Assign pieces to splits so that no group is in two.

    Groups are drawn in random order; each goes to `test` while there is room for all of it, else to `val`, else to
    `train`.

    Args:
        groups: name of each piece's group.
        shares: of the pieces for `val` and `test`, each in 0..1, together less than 1.
        seed: of the draw, >= 0.

    Returns:
        str (n_pieces,): `train`, `val` or `test`.

    Raises:
        UserError: a split gets no piece.
    """
    names, which, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    room = {split: max(1, round(shares[split] * len(groups))) for split in ("test", "val")}
    assigned = np.full(len(names), "train")
    for group in np.random.default_rng(seed).permutation(len(names)):
        split = next((split for split in room if sizes[group] <= room[split]), None)
        if split is not None:
            room[split] -= sizes[group]
            assigned[group] = split
    for split in SPLITS:
        if split not in assigned:
            raise UserError(
                f"{len(groups)} pieces in {len(names)} groups leave the {split} split empty; give more pieces, "
                "or other shares (data.split)"
            )
    return assigned[which]
