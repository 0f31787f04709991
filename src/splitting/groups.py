"""Groups of items that must stay in one split, united wherever a link connects them."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
import scipy.sparse

Link = tuple[int, int]
"""The indices of two items that belong together."""


def united(groups: Sequence[str], links: Iterable[Link]) -> list[str]:
    """Unite the groups of all items that are connected, directly or not, by a common group or by links.

    Args:
        groups: name of each item's group.
        links: between items.

    Returns:
        The group of each item: that of the first item that it is connected with.
    """
    pairs = [*links_by_key([group] for group in groups), *links]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    n = len(groups)
    graph = scipy.sparse.coo_matrix((np.ones(len(pairs), bool), (rows, columns)), (n, n))
    # Connected components of the graph of links; each takes the group of its first item.
    components = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    _, first, which = np.unique(components, return_index=True, return_inverse=True)
    return [groups[first[component]] for component in which]


def links_by_key(keys: Iterable[Iterable[Hashable]]) -> Iterator[Link]:
    """Link each item with the first item that has a key in common.

    Args:
        keys: of each item, any number.
    """
    first: dict[Hashable, int] = {}
    for number, of_item in enumerate(keys):
        for key in of_item:
            yield first.setdefault(key, number), number
