"""Items that must not be split: groups that are united wherever something links them."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
import scipy.sparse

Link = tuple[int, int]
"""The numbers of two items that belong together."""


def united(groups: Sequence[str], links: Iterable[Link]) -> list[str]:
    """Unite the groups of items that share a group, or are linked, be it through others.

    Args:
        groups: a name for each item.
        links: between items.

    Returns:
        A group for each item: that of the first item it is united with.
    """
    pairs = [*links_by_key([group] for group in groups), *links]
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    n = len(groups)
    graph = scipy.sparse.coo_matrix((np.ones(len(one), bool), (one, other)), (n, n))
    components = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    _, first, which = np.unique(components, return_index=True, return_inverse=True)
    return [groups[first[component]] for component in which]


def links_by_key(keys: Iterable[Iterable[Hashable]]) -> Iterator[Link]:
    """Link each item with the first that has a key of it.

    Args:
        keys: of each item.
    """
    first: dict[Hashable, int] = {}
    for number, of_item in enumerate(keys):
        for key in of_item:
            yield first.setdefault(key, number), number
