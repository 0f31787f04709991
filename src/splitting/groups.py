"""Which pieces belong together, and which group goes to which part of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from src.errors import UserError

_COMMON = 200  # a passage in more pieces than this tells none of them from the others


@dataclass(frozen=True)
class Part:
    """The pieces of a split, in order of length.

    Attributes:
        numbers: int64 (n_pieces,), which pieces of the store they are.
        starts: int64 (n_pieces,), their first columns.
        lengths: int64 (n_pieces,), their columns, after the crop.
    """

    numbers: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def united(groups: Sequence[str], digests: Sequence[str], sketches: Sequence[np.ndarray]) -> list[str]:
    """Unite pieces that share a group, are identical, or are nearly so.

    Two pieces are nearly identical where half of the hashes of the smaller sketch are in the other's.

    Args:
        groups: a name for each piece.
        digests: a hash of each piece's whole roll.
        sketches: each piece's hashes, uint64 (n,), as `src.datamodules.rolls.piece.sketch` gives them.

    Returns:
        A group for each piece: that of the first piece it is united with.
    """
    links = [*_equal(groups), *_equal(digests), *_alike(digests, sketches)]
    one, other = np.array(links, np.int64).reshape(-1, 2).T
    n = len(groups)
    graph = scipy.sparse.coo_matrix((np.ones(len(one), bool), (one, other)), (n, n))
    labels = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    _, first, which = np.unique(labels, return_index=True, return_inverse=True)
    return [groups[first[label]] for label in which]


def divide(groups: Sequence[str], shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Divide pieces so that no group is on two sides.

    The groups are drawn in random order; each goes to `test` where there is room for all of it, else to
    `val`, else to `train`.

    Args:
        groups: a name for each piece.
        shares: of the pieces, for `val` and `test`, each in 0..1 and less than 1 together.
        seed: of the draw, >= 0.

    Returns:
        str (n_pieces,): `train`, `val` or `test`.

    Raises:
        UserError: a part gets no piece.
    """
    names, which, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    room = {split: max(1, round(shares[split] * len(groups))) for split in ("test", "val")}
    parts = np.full(len(names), "train")
    for group in np.random.default_rng(seed).permutation(len(names)):
        part = next((split for split in room if sizes[group] <= room[split]), None)
        if part is not None:
            room[part] -= sizes[group]
            parts[group] = part
    for part in ("train", "val", "test"):
        if part not in parts:
            raise UserError(
                f"{len(groups)} pieces in {len(names)} groups leave the {part} part empty; give more pieces, "
                "or other shares (data.split)"
            )
    return parts[which]


def _equal(names: Sequence[str]) -> list[tuple[int, int]]:
    """Link each piece with the first of its name."""
    first: dict[str, int] = {}
    return [(first.setdefault(name, number), number) for number, name in enumerate(names)]


def _alike(digests: Sequence[str], sketches: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Link pieces whose sketches overlap; of identical pieces the first speaks for all."""
    chosen = sorted({digest: number for number, digest in reversed(list(enumerate(digests)))}.values())
    sizes = np.array([len(sketches[number]) for number in chosen], np.int64)
    hashes = np.concatenate([np.zeros(0, np.uint64), *(sketches[number] for number in chosen)])
    _, column, count = np.unique(hashes, return_inverse=True, return_counts=True)
    row = np.repeat(np.arange(len(chosen)), sizes)
    rare = (count[column] > 1) & (count[column] <= _COMMON)
    shape = (len(chosen), len(count))
    table = scipy.sparse.csr_matrix((np.ones(rare.sum(), np.int64), (row[rare], column[rare])), shape)
    shared = scipy.sparse.triu(table @ table.T, 1).tocoo()
    near = 2 * shared.data >= np.minimum(sizes[shared.row], sizes[shared.col])
    return [
        (chosen[one], chosen[other]) for one, other in zip(shared.row[near], shared.col[near], strict=True)
    ]
