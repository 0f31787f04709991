"""The features of spectrograms that linear baselines are fitted to."""

import numpy as np
import torch

BLOCK = 256
"""Items read at a time."""


def band_statistics(features: np.ndarray) -> np.ndarray:
    """Return the mean, standard deviation and maximum over time of each band.

    Args:
        features: (N, n_mels, T), or (N, channels, n_mels, T), read in blocks.

    Returns:
        (N, 3 · channels · n_mels) float32.
    """
    blocks = []
    for start in range(0, len(features), BLOCK):
        block = torch.from_numpy(np.array(features[start : start + BLOCK])).float().flatten(1, -2)
        std, mean = torch.std_mean(block, dim=-1, correction=0)
        blocks.append(torch.cat([mean, std, block.amax(-1)], dim=1))
    statistics: np.ndarray = torch.cat(blocks).numpy()
    return statistics
