"""Statistics over the frames of items, without padding."""

from collections.abc import Iterable

import numpy as np


def moments(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each row over all frames of all items.

    Args:
        batches: features (B, 1, n_rows, T), zeros past an item's end, and lengths, int64 (B,).

    Returns:
        float64 (n_rows,) each; the deviation of a row that never changes is 1.
    """
    total, sums, squares = 0, np.zeros(1), np.zeros(1)
    for features, lengths in batches:
        values = features[:, 0].astype(np.float64)
        total += int(lengths.sum())
        sums = sums + values.sum((0, 2))
        squares = squares + np.square(values).sum((0, 2))
    mean = sums / total
    deviation = np.sqrt(np.maximum(squares / total - mean**2, 0))
    return mean, np.where(deviation > 1e-6, deviation, 1.0)


def statistics_over_time(features: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return mean, standard deviation and maximum of each row over the frames of each item.

    Args:
        features: (B, 1, n_rows, T).
        lengths: int64 (B,), frames of each, >= 1.

    Returns:
        float32 (B, 3 · n_rows).
    """
    found = []
    for item, length in zip(features[:, 0], lengths, strict=True):
        frames = item[:, :length].astype(np.float32)
        found.append(np.concatenate([frames.mean(1), frames.std(1), frames.max(1)]))
    return np.stack(found)
