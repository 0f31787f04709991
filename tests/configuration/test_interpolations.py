import pytest
from omegaconf import OmegaConf

from src.configuration.interpolations import Interpolations


@pytest.mark.parametrize(
    ("config", "key", "copies"),
    [
        ({"b": {"c": 1}}, "b.c", set()),
        ({"a": "${b.c}", "b": {"c": 1}}, "b.c", {"a"}),
        ({"a": {"d": "${b.c}", "e": "${b.c}"}, "b": {"c": 1}}, "b.c", {"a.d", "a.e"}),
        ({"a": "${b.d}", "b": {"c": 1, "d": 2}}, "b.c", set()),
        ({"a": "${bc}", "bc": 1, "b": 2}, "b", set()),
        ({"a": "more than ${b}", "b": 1}, "b", None),
        ({"a": ["${b}"], "b": 1}, "b", None),
        ({"a": "${b}", "b": {"c": 1}}, "b.c", None),
        ({"a": "${b}", "b": 1, "d": "${a}"}, "b", None),
        ({"a": {"d": "${b}"}, "b": 1, "e": "${a}"}, "b", None),
        ({"a": "${..b}", "b": 1}, "b", None),
        ({"a": "${oc.env:HOME}", "b": 1}, "b", None),
        ({"a": "${c.${b}}", "b": "d", "c": {"d": 1}}, "b", None),
        ({"a": "${c.${b}}", "b": "d", "c": {"d": 1}}, "c.d", None),
    ],
)
def test_copies_of_a_key(config, key, copies):
    assert Interpolations(OmegaConf.create(config)).copies(key) == copies
