"""Recordings with identical audio, within groups and across splits."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from src.splitting.groups import links_by_key, united
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


def with_duplicates_grouped(recordings: Sequence[Recording], digests: np.ndarray) -> list[Recording]:
    """Return the recordings with one group for all that have identical audio and no split yet.

    Args:
        recordings: with or without a split.
        digests: uint64 (n,), hashes of their audio.
    """
    free = [number for number, recording in enumerate(recordings) if recording.split is None]
    if not free:
        return list(recordings)
    groups = united(
        [recordings[number].group for number in free], links_by_key([digests[number]] for number in free)
    )
    grouped = list(recordings)
    for number, group in zip(free, groups, strict=True):
        grouped[number] = replace(recordings[number], group=group)
    return grouped


def duplicates_across_splits(
    recordings: Sequence[Recording], digests: np.ndarray
) -> dict[str, list[tuple[Recording, Recording]]]:
    """Find recordings whose audio is also in an earlier split: of `val` in `train`, of `test` in `train` or `val`.

    Args:
        recordings: each with its split.
        digests: uint64 (n,), hashes of their audio.

    Returns:
        By split, pairs of the first recording with this audio and the duplicate.
    """
    first: dict[int, Recording] = {}
    found: dict[str, list[tuple[Recording, Recording]]] = {split: [] for split in SPLITS[1:]}
    pairs = zip(recordings, digests.tolist(), strict=True)
    for recording, digest in sorted(pairs, key=lambda pair: SPLITS.index(str(pair[0].split))):
        same = first.setdefault(digest, recording)
        if same.split != recording.split:
            found[str(recording.split)].append((same, recording))
    return found
