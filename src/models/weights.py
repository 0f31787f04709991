"""Compares weights that a checkpoint holds with those that a module has."""

from collections.abc import Mapping

from torch import Tensor

from src.errors import one_line


def misfit(known: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Return the first difference between the weights of a module and those that are to replace them; empty if none.

    Args:
        known: of the module, by name, on any device.
        given: floating point of any precision where the module's are.
    """
    for name, own in known.items():
        if name not in given:
            return f"{name} is missing"
        other = given[name]
        if other.shape != own.shape:
            return f"{name} has the shape {list(other.shape)} instead of {list(own.shape)}"
        if other.is_floating_point() != own.is_floating_point():
            return f"{name} holds {_numbers(other)} instead of {_numbers(own)}"
    further = sorted(given.keys() - known.keys())
    return f"{one_line(further[0], 80)} is not in it" if further else ""


def _numbers(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
