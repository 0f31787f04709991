"""Which of the stored items are used, and the split of each."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.datamodules.lists import check_left_out
from src.datamodules.sequences.store import SequenceMaker
from src.splitting.assigning import AssignedSplits
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS

Assign = Callable[[Sequence[Recording], np.ndarray], AssignedSplits]
"""Assigns splits to items, given hashes of their features, uint64 (n,)."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The items that can be used, each in its split.

    Args:
        name: of the data set.
        listed: all items; those with wrong labels have a `problem`.
        arrays: of the store: `frames`, 0 where an item cannot be used, and `digest`.
        maker: of the items, which knows why one cannot be used.
        max_bad: the greatest share of items that may be left out, 0..1.
        assign: assigns splits to items.
    """

    name: str
    listed: Sequence[Recording]
    arrays: Mapping[str, np.ndarray]
    maker: SequenceMaker
    max_bad: float
    assign: Assign

    @functools.cached_property
    def left_out(self) -> list[tuple[str, str]]:
        """Path and reason of each item that is not used."""
        frames = self.arrays["frames"]
        reasons = [
            item.problem or ("" if frames[number] else self.maker.problem(number))
            for number, item in enumerate(self.listed)
        ]
        return [(item.path, reason) for item, reason in zip(self.listed, reasons, strict=True) if reason]

    @functools.cached_property
    def assigned(self) -> AssignedSplits:
        """The used items and their splits.

        Raises:
            UserError: too many items are left out, or the split is impossible (see `src.splitting.assigning`).
        """
        check_left_out(self.name, self.left_out, len(self.listed), self.max_bad)
        return self.assign([self.listed[number] for number in self._used], self.arrays["digest"][self._used])

    @functools.cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """For each split, the numbers of its items in `listed`, int64 (n,)."""
        splits = np.array([item.split for item in self.assigned.recordings])
        return {split: self._used[splits == split] for split in SPLITS}

    def items(self, split: str) -> list[Recording]:
        """Return the items of a split, in the order of `numbers`."""
        return [item for item in self.assigned.recordings if item.split == split]

    @functools.cached_property
    def _used(self) -> np.ndarray:
        """The numbers in `listed` of the items that can be used, int64 (n,)."""
        problem = np.array([bool(item.problem) for item in self.listed], bool)
        return np.flatnonzero((self.arrays["frames"] > 0) & ~problem)
