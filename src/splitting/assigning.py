"""Recordings divided, and what is wrong with the parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.errors import UserError
from src.preparation.cache import say
from src.splitting.recording import Recording
from src.splitting.same_sounds import one_group_a_sound, shared_sounds
from src.splitting.stratified import check_classes, check_groups, divided


@dataclass(frozen=True, eq=False)
class Division:
    """Recordings and their parts.

    Attributes:
        recordings: each with its split.
        shared_sounds: how many of `val` and of `test` have a sound that is in a part before theirs, too.
    """

    recordings: list[Recording]
    shared_sounds: dict[str, int]

    def say_shared_sounds(self, name: str) -> None:
        """Tell the user of them, if there are any.

        Args:
            name: of the data set.
        """
        shared = [f"{count} of {split}" for split, count in self.shared_sounds.items() if count]
        if shared:
            say(f"{name}: the sounds of {' and '.join(shared)} are in a part before theirs, too")


def division(
    name: str,
    recordings: Sequence[Recording],
    digests: np.ndarray,
    *,
    classes: Sequence[str],
    shares: Mapping[str, float] | None,
    seed: int | None,
    published: bool,
    remedy: str,
) -> Division:
    """Divide recordings that have no part, and judge the parts.

    A published data set may lack classes altogether, and its own split may have a sound in two parts.

    Args:
        name: of the data set.
        recordings: with and without a part.
        digests: uint64 (n,), hashes of their sounds.
        classes: names of all.
        shares: see `src.splitting.stratified.divide`, as for `seed`.
        seed: of the draw.
        published: whether it is not the user's own.
        remedy: what can be done where a part has no recording.

    Raises:
        UserError: a part is empty, a class is not in `train`, a group is in two parts, or so is a sound of one's own.
    """
    joined = one_group_a_sound(recordings, digests)
    whole = divided(name, joined, shares, seed, remedy)
    check_groups(name, whole, [recording.group for recording in recordings])
    present = {label for recording in recordings for label in recording.labels}
    check_classes(name, whole, [label for label in classes if not published or label in present])
    shared = shared_sounds(whole, digests)
    pairs = [pair for of_split in shared.values() for pair in of_split]
    if pairs and not published:
        one, other = pairs[0]
        raise UserError(
            f"{name}: {one.path} in {one.split} and {other.path} in {other.split} are the same sound; "
            "give both the same split, or take one out"
        )
    return Division(whole, {split: len(of_split) for split, of_split in shared.items()})
