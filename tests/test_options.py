from dataclasses import FrozenInstanceError, field
from typing import Annotated, Any

import pytest

from src.errors import UserError
from src.options import Options, Role, checks, roles
from src.rules import (
    each,
    null,
    path,
    whole,
)


class Base(Options):
    group = "data"

    workers: Annotated[int, whole(1), Role.NO_EFFECT]


class Own(Base):
    root: Annotated[str | None, path | null(), Role.PATH, Role.INPUT]
    low: Annotated[int, whole(0)] = 0
    high: Annotated[int, whole(0)] = 9
    fixed: None = field(init=False, default=None)

    def check(self) -> None:
        if self.low > self.high:
            raise UserError(f"data.low={self.low}: choose {self.high} or less.")


def test_options_check_themselves_and_are_frozen() -> None:
    own = Own(workers=1, root=None, low=3)
    assert (own.workers, own.root, own.low, own.high, own.fixed) == (1, None, 3, 9, None)
    with pytest.raises(FrozenInstanceError):
        own.low = 4  # type: ignore[misc]
    with pytest.raises(UserError, match=r"data\.workers=True: choose a whole number from 1"):
        Own(workers=True, root=None)
    with pytest.raises(UserError, match=r"data\.low=10: choose 9 or less"):
        Own(workers=1, root=None, low=10)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"workers": 1, "root": None, "hihg": 3},
            r"data\.hihg: there is no such option\. Did you mean high\?",
        ),
        ({"workers": 1, "root": None, "fixed": 3}, r"data\.fixed: there is no such option"),
        ({"workers": 1}, r"data\.root is missing: give data\.root=VALUE"),
    ],
)
def test_options_of_a_configuration_are_named_where_they_are_unknown_or_missing(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        Own.read(options)


class Network:
    @checks("model")
    def __init__(
        self, n_classes: int, widths: Annotated[tuple[int, ...], each(whole(1))] = (8,), skip: bool = True
    ) -> None:
        self.widths, self.skip = widths, skip


def test_arguments_of_a_constructor_are_checked() -> None:
    assert Network(3).widths == (8,)
    assert Network(3, [4, 2], skip=False).widths == (4, 2)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^model\.widths=\[8, 0\]: choose a list of 1 or more, each a whole"):
        Network(3, widths=[8, 0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="width"):
        Network(3, width=(8,))  # type: ignore[call-arg]


def test_roles_are_read_from_annotations() -> None:
    class Data:
        Options = Own

    class Weighted:
        @checks("model")
        def __init__(self, weights: Annotated[str, path, Role.PATH]) -> None: ...

    own = {"workers": frozenset({Role.NO_EFFECT}), "root": frozenset({Role.PATH, Role.INPUT})}
    assert roles(Own) == roles(Data) == own
    assert roles(Weighted) == {"weights": frozenset({Role.PATH})}
    assert roles(dict) == roles(Network) == {}
