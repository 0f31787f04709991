"""Batches of sequences of different lengths, padded to the longest of the batch."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


class SequenceDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Sequences of a split; an index is an array of item numbers.

    Args:
        features: (n_stored, all rows, max_frames), zeros past an item's end.
        frames: int64 (n_stored,), frames of each.
        numbers: int64 (n_items,), of the stored sequences that are in the split.
        targets: (n_items, ...).
        rows: of the features, those that are returned.
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
            features (B, 1, n_rows, T), padded with 0 to the longest item T, targets (B, ...), lengths int64 (B,).
        """
        stored = self._numbers[indices]
        lengths = self._frames[stored]
        # Indices come sorted, so that the file is read from front to back.
        features = self._features[stored, self._rows, : lengths.max()][:, None]
        return torch.from_numpy(features), torch.from_numpy(self._targets[indices]), torch.from_numpy(lengths)
