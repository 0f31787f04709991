from collections.abc import Sequence
from typing import Any

import pytest

from src.errors import UserError
from src.sweep.plan import Request
from src.sweep.search.conditions import Conditions
from src.sweep.search.space import Choice, Interval, Space

KEYS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer.lr": 1e-3},
    "sgd": {"optimizer.lr": 0.1, "optimizer.momentum": 0.9, "optimizer.nesterov": True},
}
OPTIMIZER = Choice("optimizer", ("adam", "sgd"))
RATE, MOMENTUM = Interval("optimizer.lr", 1e-4, 1, log=True), Interval("optimizer.momentum", 0, 0.9)


class Optimizers:
    """A composition that has one group, `optimizer`."""

    def request(self, typed: Sequence[str]) -> Request:
        return Request(tuple(typed), {})

    def is_group(self, key: str) -> bool:
        return key == "optimizer"

    def look_up(self, typed: Sequence[str], key: str) -> tuple[bool, Any]:
        [chosen] = [text.partition("=")[2] for text in typed if text.startswith("optimizer=")] or ["adam"]
        return key in KEYS[chosen], KEYS[chosen].get(key)


def conditions(*axes: Choice | Interval, fixed: tuple[str, ...] = ()) -> Conditions:
    return Conditions(Space(axes, fixed), Optimizers())


def test_groups_come_first_and_what_depends_on_them_last() -> None:
    found = conditions(MOMENTUM, RATE, OPTIMIZER)
    assert found.axes == (OPTIMIZER, RATE, MOMENTUM)
    assert found.conditional == (MOMENTUM,)


def test_an_axis_holds_where_composition_has_its_key() -> None:
    found = conditions(OPTIMIZER, MOMENTUM)
    assert found.complete({}) == {"optimizer": "adam"}
    assert found.complete({"optimizer": "sgd", "optimizer.momentum": "0.5"}) == {
        "optimizer": "sgd",
        "optimizer.momentum": "0.5",
    }
    assert found.fits({"optimizer": "adam"})
    assert not found.fits({"optimizer": "adam", "optimizer.momentum": "0.5"})
    assert not found.fits({"optimizer": "sgd"})


def test_what_is_added_holds_everywhere() -> None:
    added = Interval("+optimizer.momentum", 0, 0.9)
    assert conditions(OPTIMIZER, added).conditional == ()


def test_without_a_group_among_the_axes_nothing_is_conditional() -> None:
    assert conditions(MOMENTUM, fixed=("optimizer=sgd",)).conditional == ()


def test_a_key_that_no_choice_has_is_left_to_composition() -> None:
    assert conditions(OPTIMIZER, Interval("optimizer.beta", 0, 1)).conditional == ()


def test_probes_have_each_choice_and_both_ends() -> None:
    found = conditions(OPTIMIZER, RATE, MOMENTUM).probes()
    assert {point["optimizer"] for point in found} == {"adam", "sgd"}
    assert {point["optimizer.lr"] for point in found} == {"0.0001", "1.0"}
    assert {point.get("optimizer.momentum") for point in found} == {None, "0.0", "0.9"}
    assert len(found) == len({tuple(point.items()) for point in found})


@pytest.mark.parametrize("key", ["optimizer", "optimizer.nesterov"])
def test_what_is_no_number_has_no_interval(key: str) -> None:
    space = Space((Interval(key, 0, 1),), ("optimizer=sgd",))
    with pytest.raises(UserError, match=f"{key}: it is no number"):
        Conditions(space, Optimizers()).probes()
