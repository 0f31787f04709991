"""Pieces that are nearly identical, by sketches: samples of the hashes of their passages."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from src.splitting.groups import Link

_COMMON = 200  # a passage in more pieces than this tells none of them from the others


def links_of_near_duplicates(digests: Sequence[str], sketches: Sequence[np.ndarray]) -> list[Link]:
    """Link pieces that are nearly identical: half of the hashes of the smaller sketch are in the other's.

    Args:
        digests: a hash of each whole piece; of identical pieces the first speaks for all.
        sketches: each piece's hashes, uint64 (n,), as `src.datamodules.rolls.piece.sketch` returns them.
    """
    chosen = sorted({digest: number for number, digest in reversed(list(enumerate(digests)))}.values())
    sizes = np.array([len(sketches[number]) for number in chosen], np.int64)
    # A table of pieces by the hashes that several have; its product with itself counts the hashes that two share.
    hashes = np.concatenate([np.zeros(0, np.uint64), *(sketches[number] for number in chosen)])
    _, column, count = np.unique(hashes, return_inverse=True, return_counts=True)
    row = np.repeat(np.arange(len(chosen)), sizes)
    telling = (count[column] > 1) & (count[column] <= _COMMON)
    shape = (len(chosen), len(count))
    ones = np.ones(telling.sum(), np.int64)
    table = scipy.sparse.csr_matrix((ones, (row[telling], column[telling])), shape)
    shared = scipy.sparse.triu(table @ table.T, 1).tocoo()
    near = 2 * shared.data >= np.minimum(sizes[shared.row], sizes[shared.col])
    pairs = zip(shared.row[near], shared.col[near], strict=True)
    return [(chosen[one], chosen[other]) for one, other in pairs]
