"""Batches of sequences of several lengths, padded to the longest of the batch."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


class SequenceDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Gives sequences by their numbers, many at once.

    Args:
        features: (n_stored, all rows, max_frames), zeros past an item's end.
        frames: int64 (n_stored,), frames of each.
        numbers: int64 (n_items,), which of the stored ones are the items.
        targets: (n_items, ...).
        rows: those that are given.
    """

    def __init__(
        self, features: np.ndarray, frames: np.ndarray, numbers: np.ndarray, targets: np.ndarray, rows: slice
    ) -> None:
        self._features, self._frames, self._numbers = features, frames, numbers
        self._targets, self._rows = targets, rows

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, indices: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Read items.

        Args:
            indices: int64 (B,).

        Returns:
            features (B, 1, n_rows, T), T frames being the longest of them, targets (B, ...), and lengths, int64 (B,).
        """
        stored = self._numbers[indices]
        lengths = self._frames[stored]
        # A sorted index reads neighbours in the file one after the other.
        features = self._features[stored, self._rows, : lengths.max()][:, None]
        return torch.from_numpy(features), torch.from_numpy(self._targets[indices]), torch.from_numpy(lengths)
