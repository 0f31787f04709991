"""The three splits of every data set, and the shares by which they are drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.rules import Rule, Unfit, number, refuse_unknown_names

SPLITS = ("train", "val", "test")

_SHARE = number(0, 1, above=True, below=True)


def shares(parts: Sequence[str] = SPLITS[1:]) -> Rule:
    """Return the rule of the shares of the splits that are drawn; the rest is for training.

    Args:
        parts: the names of those splits, of `val` and `test`.
    """

    def read(key: str, value: Any) -> dict[str, float]:
        if not isinstance(value, Mapping):
            raise Unfit
        refuse_unknown_names(key, value, parts)
        if set(value) != set(parts):
            raise Unfit
        found = {part: float(_SHARE.read(key, value[part])) for part in parts}
        if sum(found.values()) >= 1:
            raise Unfit
        return found

    wanted = ", ".join(f"{part}: share" for part in parts)
    return Rule(f"{{{wanted}}}, each above 0, together below 1", read)
