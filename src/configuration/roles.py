"""Collects the roles of a configuration's keys from the classes that it names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar

from src.callbacks.music_samples import MusicSamples
from src.configuration.settings import LISTS, root_roles
from src.configuration.targets import GROUPS, find_class
from src.errors import UserError
from src.options import Role, roles

ONLY_SHOWN = (ProgressBar, LearningRateMonitor, MusicSamples)
"""Callbacks that show how training goes and do not change its result."""


def key_roles(config: Mapping[str, Any]) -> dict[str, frozenset[Role]]:
    """Return the roles of the keys of a configuration; a role also applies to the keys below.

    Args:
        config: composed, plain values.

    Raises:
        UserError: the configuration names a class that does not exist.
    """
    found = {**root_roles(), "trainer.enable_progress_bar": frozenset({Role.NO_EFFECT})}
    for place, target in _targets(config):
        named = find_class(target, place)
        found |= {f"{place}.{name}": of_name for name, of_name in roles(named).items()}
        if issubclass(named, ONLY_SHOWN):
            found[place] = frozenset({Role.NO_EFFECT})
    return found


def option_roles(group: str, targets: Iterable[str]) -> dict[str, frozenset[Role]]:
    """Return the roles of the options of several classes, by the name of the option.

    Args:
        group: of the configuration.
        targets: import paths of the classes; those that `find_class` refuses are left out.
    """
    found: dict[str, frozenset[Role]] = {}
    for target in targets:
        try:
            named = find_class(target, group)
        except UserError:
            continue  # it is refused by name once the configuration is composed
        for name, of_name in roles(named).items():
            found[name] = found.get(name, frozenset()) | of_name
    return found


def _targets(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in GROUPS.keys() & config.keys():
        options = config[group] or {}
        places = (
            {f"{group}.{name}": options[name] for name in options} if group in LISTS else {group: options}
        )
        for place, of_place in places.items():
            if isinstance(of_place, Mapping) and of_place.get("_target_") is not None:
                yield place, of_place["_target_"]
