import networkx
from hypothesis import given
from hypothesis import strategies as st

from src.splitting.groups import links_by_key, united


def test_groups_and_linked_items_unite_in_chains():
    links = links_by_key([digest] for digest in ["1", "2", "3", "3", "4"])
    assert united(["a", "b", "c", "b", "d"], links) == ["a", "b", "b", "b", "d"]


def test_an_item_is_linked_with_the_first_that_has_a_key_of_it():
    assert list(links_by_key([["x"], ["y"], ["x", "y"], []])) == [(0, 0), (1, 1), (0, 2), (1, 2)]


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), st.data())
def test_united_items_are_connected_components(groups, data):
    number = st.integers(0, len(groups) - 1)
    links = data.draw(st.lists(st.tuples(number, number), max_size=6))
    graph = networkx.Graph([*links, *((n, n) for n in range(len(groups)))])
    graph.add_edges_from((groups.index(group), n) for n, group in enumerate(groups))
    first = {n: min(component) for component in networkx.connected_components(graph) for n in component}

    assert united(groups, links) == [groups[first[n]] for n in range(len(groups))]
