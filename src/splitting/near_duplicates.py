"""Nearly identical pieces, found by their sketches: samples of the hashes of their passages."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from src.splitting.groups import Link

_COMMON = 200  # passages that more pieces contain are too common to tell


def links_of_near_duplicates(digests: Sequence[str], sketches: Sequence[np.ndarray]) -> list[Link]:
    """Link nearly identical pieces, whose sketches share at least half of the hashes of the smaller sketch.

    Args:
        digests: a hash of each whole piece; identical pieces are represented by the first.
        sketches: hashes of each piece, uint64 (n,), from `src.datamodules.rolls.piece.sketch`.
    """
    chosen = sorted({digest: number for number, digest in reversed(list(enumerate(digests)))}.values())
    sizes = np.array([len(sketches[number]) for number in chosen], np.int64)
    # Number the distinct hashes: row (piece) and column (hash) of each entry, and in how many pieces a hash occurs.
    hashes = np.concatenate([np.zeros(0, np.uint64), *(sketches[number] for number in chosen)])
    _, column, count = np.unique(hashes, return_inverse=True, return_counts=True)
    row = np.repeat(np.arange(len(chosen)), sizes)
    informative = (count[column] > 1) & (count[column] <= _COMMON)
    shape = (len(chosen), len(count))
    ones = np.ones(informative.sum(), np.int64)
    table = scipy.sparse.csr_matrix((ones, (row[informative], column[informative])), shape)
    # The product (pieces, pieces) counts the hashes that two pieces share; its upper triangle has each pair once.
    shared = scipy.sparse.triu(table @ table.T, 1).tocoo()
    near = 2 * shared.data >= np.minimum(sizes[shared.row], sizes[shared.col])
    pairs = zip(shared.row[near], shared.col[near], strict=True)
    return [(chosen[first], chosen[second]) for first, second in pairs]
