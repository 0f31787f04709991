"""Checks of what a checkpoint holds: finite weights, and a description of plain values of the right types."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from src.errors import NotFiniteError, UserError, one_line
from src.metrics.kinds import KINDS
from src.rules import Rule, Unfit, anything, each, null, number, one_of, whole, words
from src.words import is_text

REMEDY = "take a file that this project wrote."
REMEDY_OF_VERSION = "take a file that this version of the project wrote."

MOST_ITEM_VALUES = 2**23
"""Most values of an item of the data."""

_DEEPEST = 64
_MOST_VALUES = 1_000_000  # a list counts as often as it is referred to
_KEYS = str | int | float | None  # a bool is an int
_LARGEST = 2**63
_MISSING = object()

_NEEDED = {
    "classes": each(words("a name")),
    "target": one_of(*KINDS),
    "item_shape": each(whole(1, MOST_ITEM_VALUES)),
    "config.seed": whole(0),
    "config.batch_size": whole(1),
    "config.objective": words("the name of a metric"),
    "config.trainer.accelerator": words("the name of a device"),
    "config.trainer.precision": words("the name of a precision") | whole(1),
    "config.trainer.devices": anything,
}
_FURTHER = {
    "inputs": words("the name of a task") | null(),
    "pool": one_of("mean", "max") | null(),
    "level": number(0) | null(),
}
"""Rules of the values that a checkpoint needs to be used; those of the configuration that a test reads as they are."""


def check_plain(description: Mapping[str, Any]) -> None:
    """Refuse anything but plain values, and lists that lie in each other too deep or too often.

    Raises:
        UserError: there is such; the message continues a sentence that begins with `its`: `… seed is …`.
    """
    for count, (place, value, depth) in enumerate(_values(description)):
        if depth > _DEEPEST or count > _MOST_VALUES:
            raise UserError(f"{place or 'description'} holds lists in lists without end; {REMEDY}")
        if not _is_plain(value):
            raise UserError(f"{place} is no plain value; {REMEDY}")


def _values(description: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Yield every value with the top-level key and the depth that it lies in."""
    todo: list[tuple[str, Any, int]] = [("", description, 0)]
    while todo:
        place, value, depth = todo.pop()
        yield place, value, depth
        if isinstance(value, Mapping):
            todo += [(place or one_line(str(key), 40), inner, depth + 1) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            todo += [(place, inner, depth + 1) for inner in value]


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, _KEYS) and _is_plain(key) for key in value)
    if isinstance(value, str):
        return is_text(value)
    if isinstance(value, int):
        return abs(value) < _LARGEST
    return isinstance(value, list | tuple | float) or value is None


def check_description(description: Mapping[str, Any]) -> None:
    """Refuse classes, targets, shapes and options that are missing or of another type.

    Args:
        description: plain values; see `src.configuration.build.describe`.

    Raises:
        UserError: there are such; the message continues a sentence that begins with `its`.
    """
    for key, rule in _NEEDED.items():
        value = _at(description, key)
        if value is _MISSING:
            raise UserError(f"value of {key} is missing; {REMEDY}")
        _check_value(key, rule, value)
    for key, rule in _FURTHER.items():
        _check_value(key, rule, description.get(key))
    if math.prod(description["item_shape"]) > MOST_ITEM_VALUES:
        raise UserError(f"item_shape has more than {MOST_ITEM_VALUES} values; {REMEDY}")


def _at(description: Mapping[str, Any], key: str) -> Any:
    value: Any = description
    for name in key.split("."):
        value = value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
    return value


def _check_value(key: str, rule: Rule, value: Any) -> None:
    try:
        rule.read(key, value)
    except Unfit:
        raise UserError(f"value of {key} is not {rule.wanted}; {REMEDY}") from None


def check_weights(weights: Any, size: int) -> None:
    """Refuse weights that are not finite, or no tensors with values of their own.

    Args:
        weights: the `state_dict`.
        size: of the file, bytes.

    Raises:
        UserError: there are such; the message continues a sentence that begins with `its`.
    """
    if not isinstance(weights, Mapping) or not weights:
        raise UserError(f"weights are missing; {REMEDY}")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _is_whole(value):
            raise UserError(f"weights {_shown(name)} are no tensor of real numbers; {REMEDY}")
    if sum(value.numel() * value.element_size() for value in weights.values()) > 2 * size:
        raise UserError(f"weights are more than the file holds; {REMEDY}")
    for name, value in weights.items():
        if not value.isfinite().all():
            raise NotFiniteError(f"weights {_shown(name)} are not all finite numbers; {REMEDY}")


def _is_whole(value: Tensor) -> bool:
    """Whether a tensor has real numbers, each of which is stored."""
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_complex()
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def _shown(name: object) -> str:
    return one_line(str(name), 80)
