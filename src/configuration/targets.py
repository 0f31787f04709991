"""Finds the class that a `_target_` names: of this project, its libraries or trusted packages only.

A configuration may come from a checkpoint that somebody else wrote, so its text must not decide what is imported or
called. A target must name a class by the module that defines it, in a package that its group allows, and the class
must be derived from the base class of the group.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

import src.metrics
import src.tasks
from src.configuration.earlier_modules import current_target
from src.configuration.settings import LISTS
from src.configuration.trust import IMPORT_PATH, is_in, trusted
from src.datamodules.base import DataModule
from src.errors import UserError
from src.losses.base import Loss
from src.tasks.base import TASKS, Task

PROJECT = "src"

_LONGEST = 200
"""Most characters that a `_target_` may have."""


@dataclass(frozen=True)
class Kind:
    """Which classes a group of the configuration may name.

    Args:
        base: the class that they are derived from.
        packages: the packages that define them.
    """

    base: type
    packages: tuple[str, ...]


GROUPS = {
    "data": Kind(DataModule, ("src.datamodules",)),
    "model": Kind(nn.Module, ("src.models.networks",)),
    "loss": Kind(Loss, ("src.losses",)),
    "augment": Kind(nn.Module, ("src.audio",)),
    "regularization": Kind(nn.Module, ("src.models",)),
    "optimizer": Kind(Optimizer, ("torch.optim",)),
    "scheduler": Kind(LRScheduler, ("torch.optim.lr_scheduler",)),
    "callbacks": Kind(Callback, ("src.callbacks", "lightning.pytorch.callbacks")),
    "logger": Kind(Logger, ("lightning.pytorch.loggers",)),
    "trainer": Kind(lightning.Trainer, ("lightning.pytorch",)),
}
"""By group, which classes its `_target_` may name."""

_NEEDED = ("data", "model", "loss")
"""Groups without which nothing can be built."""


def find_class(target: object, group: str) -> type:
    """Find the class that a `_target_` names.

    Args:
        target: import path, `package.module.Class`.
        group: of the configuration; in a group of several choices followed by the choice, such as `callbacks.ema`.

    Raises:
        UserError: there is no such class, it has another base class, or its package is not trusted.
    """
    _register()
    kind = GROUPS[group.partition(".")[0]]
    if not IMPORT_PATH.fullmatch(str(target)) or len(str(target)) > _LONGEST:
        raise UserError(f"{group}._target_ is no import path of a class, such as package.module.Class.")
    module, _, name = current_target(str(target)).rpartition(".")
    packages = (*kind.packages, *trusted())
    if module and not is_in(module, packages):
        package = module.partition(".")[0]
        known = package == PROJECT or package in sys.stdlib_module_names
        remedy = (
            f"choose another {group}"
            if known
            else f"if you trust it, add trust={package} to the command line"
        )
        raise UserError(
            f"{group}._target_={target} is not of this project, and such code is not run; {remedy}."
        )
    try:
        found = vars(importlib.import_module(module)).get(name) if module else None
    except Exception as error:
        raise UserError(
            f"{group}._target_={target}: there is no such class ({type(error).__name__}: {error})."
        ) from error
    if not isinstance(found, type):
        raise UserError(f"{group}._target_={target}: there is no such class.")
    if not issubclass(found, kind.base) or not _is_defined_in(found, module, packages):
        raise UserError(
            f"{group}._target_={target} is no {kind.base.__name__} that is defined there; choose another {group}."
        )
    return found


def find_task(name: str) -> Task:
    """Return a task: one of `src/tasks`, or one that the module of a trusted data set has registered.

    Args:
        name: as in a data module's `inputs`.

    Raises:
        UserError: there is no such task.
    """
    _register()
    if name not in TASKS:
        raise UserError(
            f"there is no task {name}; known are {', '.join(sorted(TASKS))}. The module of a data set outside the "
            "project must import its task."
        )
    return TASKS[name]


def check_stored(config: Mapping[str, Any]) -> None:
    """Refuse a stored configuration that names anything but classes that `find_class` accepts.

    Args:
        config: of a checkpoint or a trial's folder, plain values.

    Raises:
        UserError: a `_target_` is refused or stands where nothing is built, or a group is missing or malformed.
    """
    # From here on every group is a mapping, and so is each choice of a group of several.
    _check_groups(config)
    # `rest` collects everything but the `_target_`s that may be built: it must not hold another one at any depth.
    rest = {key: value for key, value in config.items() if key not in GROUPS}
    for group in GROUPS.keys() & config.keys():
        choices = config[group] or {}
        # A group of several choices has a `_target_` in each of them, other groups have one themselves.
        named = {f"{group}.{name}": options for name, options in choices.items()} if group in LISTS else None
        for place, options in (named or {group: choices}).items():
            if options.get("_target_") is not None:
                find_class(options["_target_"], place)
            rest[place] = {key: value for key, value in options.items() if key != "_target_"}
    # Such a `_target_` would reach a class as an option, and code that builds nested options would run it.
    for place in _targets_in(rest):
        raise UserError(f"{place} stands where nothing is built; take a file that this project wrote.")


def _check_groups(config: Mapping[str, Any]) -> None:
    """Refuse groups or choices that are no mappings, and a configuration that lacks a needed group."""
    for group in GROUPS.keys() & config.keys():
        choices = config[group] or {}
        whole = isinstance(choices, Mapping)
        if whole and group in LISTS:
            whole = all(isinstance(options, Mapping) for options in choices.values())
        if not whole:
            raise UserError(f"{group} is no group of options; take a file that this project wrote.")
    for group in _NEEDED:
        if not (config.get(group) or {}).get("_target_"):
            raise UserError(f"{group} is missing; take a file that this project wrote.")


@cache
def _register() -> None:
    """Import all modules of tasks and metrics; on import each registers its tasks, metrics or baselines."""
    for room in (src.tasks, src.metrics):
        for file in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(file.name)


def _is_defined_in(found: type, module: str, packages: Iterable[str]) -> bool:
    """Whether a module defines a class; libraries and trusted packages may export it from a module below."""
    own = found.__module__ == module
    return own or (not is_in(module, (PROJECT,)) and is_in(found.__module__, packages))


def _targets_in(value: Any, place: str = "") -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            where = f"{place}.{key}".lstrip(".")
            yield from [where] if key == "_target_" and item is not None else _targets_in(item, where)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _targets_in(item, place)
