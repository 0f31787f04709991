"""Checks that a loss or network fits the data, and names others that do."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from src.configuration.targets import find_class
from src.datamodules.base import DataModule
from src.errors import UserError


def check_fits(group: str, options: Mapping[str, Any], room: ModuleType, data: DataModule) -> None:
    """Refuse a class that does not fit the data.

    Args:
        group: of the configuration, such as `loss`.
        options: of the group; `_target_` names the class.
        room: the package that holds the classes of the group.
        data: whose `target` and `inputs` the class must name in its `targets` and `inputs`.

    Raises:
        UserError: it does not; the message names the classes of the package that do.
    """
    chosen = find_class(options.get("_target_"), group)
    if _fits(chosen, data):
        return
    fitting = []
    for file in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        if file.name.endswith("base"):
            continue
        members = vars(importlib.import_module(file.name)).values()
        if any(_fits(member, data) for member in members if _is_in(member, file)):
            fitting.append(file.name.rpartition(".")[2])
    targets: Sequence[str] = getattr(chosen, "targets", ())
    takes, has = f"{' and '.join(targets) or 'unknown'} targets", data.target
    if data.target in targets:
        takes, has = " and ".join(getattr(chosen, "inputs", ())), data.inputs
    raise UserError(
        f"{group} {chosen.__name__} fits {takes}, but data {data.name} has {has}; choose "
        f"{group}={', '.join(fitting) or 'another'}."
    )


def _fits(chosen: Any, data: DataModule) -> bool:
    takes = getattr(chosen, "inputs", (data.inputs,))
    return data.target in getattr(chosen, "targets", ()) and data.inputs in takes


def _is_in(member: Any, file: pkgutil.ModuleInfo) -> bool:
    return inspect.isclass(member) and member.__module__ == file.name
