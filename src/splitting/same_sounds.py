"""Recordings whose sounds are identical, and where they lie."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from src.splitting.groups import united
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


def one_group_a_sound(recordings: Sequence[Recording], digests: np.ndarray) -> list[Recording]:
    """Give recordings that are to be divided one group where their sounds are identical.

    Args:
        recordings: those without a split are to be divided.
        digests: uint64 (n,), hashes of their sounds.
    """
    free = [number for number, recording in enumerate(recordings) if recording.split is None]
    if not free:
        return list(recordings)
    nothing = np.zeros(0, np.uint64)
    groups = united(
        [recordings[number].group for number in free],
        [str(digests[number]) for number in free],
        [nothing] * len(free),
    )
    joined = list(recordings)
    for number, group in zip(free, groups, strict=True):
        joined[number] = replace(recordings[number], group=group)
    return joined


def shared_sounds(
    recordings: Sequence[Recording], digests: np.ndarray
) -> dict[str, list[tuple[Recording, Recording]]]:
    """Find recordings of `val` and `test` whose sounds are in a part before theirs, too.

    Args:
        recordings: each with its split.
        digests: uint64 (n,), hashes of their sounds.

    Returns:
        By split: each such recording after the first one of its sound.
    """
    first: dict[int, Recording] = {}
    shared: dict[str, list[tuple[Recording, Recording]]] = {split: [] for split in SPLITS[1:]}
    pairs = zip(recordings, digests.tolist(), strict=True)
    for recording, digest in sorted(pairs, key=lambda pair: SPLITS.index(str(pair[0].split))):
        same = first.setdefault(digest, recording)
        if same.split != recording.split:
            shared[str(recording.split)].append((same, recording))
    return shared
