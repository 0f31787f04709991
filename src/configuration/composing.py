"""Composes the configurations of a sweep's trials as Hydra does, but what they have in common only once."""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.configuration.interpolations import Interpolations, lie_on_one_branch

Plain = dict[str, Any]

_KEY = re.compile(r"\w+(\.\w+)*")


@dataclass(frozen=True)
class _Template:
    """A configuration that others differ from in the values of some keys alone.

    Attributes:
        config: plain values, resolved.
        places: by key, all keys that have its value: itself, and those that read it by interpolation.
    """

    config: Plain
    places: Mapping[str, set[str]]


class Composer:
    """Composes configurations.

    Hydra composes each trial from the YAML files, which takes some tenths of a second. Here the choices of groups are
    composed once, and other overrides applied to a copy by Hydra's own function. Of configurations that differ only in
    the values of keys that nothing else depends on, one is composed, and the others are that one with other values.

    Args:
        loader: Hydra's.
        master: the sweep's configuration, with the node `hydra`.
    """

    def __init__(self, loader: Any, master: DictConfig) -> None:
        self._loader = loader
        self._master = master
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self._templates: dict[tuple[str, ...], _Template | None] = {}
        # Further folders may have further groups, which the loader does not know.
        hydra = OmegaConf.to_container(master.hydra.overrides.hydra)
        self._has_folders = any("hydra.searchpath" in str(override) for override in hydra or [])

    def resolve(self, typed: Sequence[str], check: Callable[[DictConfig], None]) -> Plain:
        """Return the configuration of a trial as plain values; trials share what they have in common.

        Args:
            typed: its overrides, each with one value.
            check: is called with each configuration that is composed, before its interpolations are resolved.

        Raises:
            HydraException: the overrides are none, or do not fit the configuration.
            OmegaConfBaseException: a value is missing, or an interpolation leads nowhere.
        """
        parsed = self._parse(typed)
        values = {override.key_or_group: override for override in parsed if self._is_scalar(override)}
        alike = tuple(
            override.key_or_group if self._is_scalar(override) else str(override.input_line)
            for override in parsed
        )
        template = self._templates.get(alike)
        if template is None:
            config = self.compose(typed)
            check(config)
            plain: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
            if alike not in self._templates:
                places = self._places(list(values.values()), parsed, config, plain)
                self._templates[alike] = None if places is None else _Template(plain, places)
            return dict(plain)
        found = template.config
        for key, of_key in template.places.items():
            for place in of_key:
                found = _replaced(found, place.split("."), values[key].value())
        return dict(found)

    def compose(self, typed: Sequence[str]) -> DictConfig:
        """Return the configuration of a trial, without the node `hydra`, its interpolations not resolved.

        Args:
            typed: its overrides, each with one value.

        Raises:
            HydraException: they are no overrides, or do not fit the configuration.
        """
        parsed = self._parse(typed)
        if self._has_folders or any(override.is_hydra_override() for override in parsed):
            return self._load(typed)
        values = [override for override in parsed if self._is_value(override)]
        choices = tuple(str(override.input_line) for override in parsed if override not in values)
        if choices not in self._composed:
            self._composed[choices] = self._load(choices)
        config = deepcopy(self._composed[choices])
        try:
            ConfigLoaderImpl._apply_overrides_to_config(values, config)
        except OmegaConfBaseException as error:
            raise ConfigCompositionException from error
        return config

    def is_group(self, key: str) -> bool:
        """Whether a key chooses from a group of the configuration."""
        return bool(self._loader.repository.group_exists(key.partition("@")[0]))

    def look_up(self, typed: Sequence[str], key: str) -> tuple[bool, Any]:
        """Return whether a configuration has a key, and its value, `None` where that is missing or leads nowhere.

        Args:
            typed: the overrides of the configuration, each with one value.
            key: such as `optimizer.momentum`.

        Raises:
            HydraException: the overrides are none, or do not fit the configuration.
        """
        node: Any = self.compose(typed)
        *groups, last = key.split(".")
        for name in groups:
            if not isinstance(node, DictConfig) or name not in node.keys():  # noqa: SIM118, `in` passes over `???`
                return not isinstance(node, DictConfig), None
            node = OmegaConf.select(node, name)
        if not isinstance(node, DictConfig):
            return node is not None, None
        try:
            return last in node.keys(), OmegaConf.select(node, last)  # noqa: SIM118
        except OmegaConfBaseException:
            return True, None

    def _parse(self, typed: Sequence[str]) -> list[Override]:
        new = [text for text in typed if text not in self._parsed]
        self._parsed |= zip(new, self._parser.parse_overrides(new), strict=True)
        return [self._parsed[text] for text in typed]

    def _load(self, typed: Sequence[str]) -> DictConfig:
        config: DictConfig = self._loader.load_sweep_config(self._master, list(typed))
        with open_dict(config):
            del config["hydra"]
        return config

    def _is_value(self, override: Override) -> bool:
        """Whether Hydra applies an override after composition; others choose from groups."""
        is_group = self._loader.repository.group_exists(override.key_or_group)
        return isinstance(override.value(), dict) or not is_group

    def _is_scalar(self, override: Override) -> bool:
        """Whether an override gives one key another number, truth value or text."""
        value = override.value()
        return (
            override.type is OverrideType.CHANGE
            and override.package is None
            and isinstance(value, bool | int | float | str)
            and not re.search(r"\$|^\?+$", str(value))
            and _KEY.fullmatch(override.key_or_group) is not None
            and not override.is_hydra_override()
            and self._is_value(override)
        )

    def _places(
        self, values: Sequence[Override], parsed: Sequence[Override], config: DictConfig, plain: Plain
    ) -> dict[str, set[str]] | None:
        """Return where the values of some overrides stand in a configuration, or `None` if more depends on them.

        Args:
            values: the overrides.
            parsed: all overrides that the configuration is composed with.
            config: composed, its interpolations not resolved.
            plain: the same, resolved.
        """
        interpolations, found = Interpolations(config), {}
        applied = [override for override in parsed if self._is_value(override)]
        for override in values:
            key = override.key_or_group
            copies = interpolations.copies(key)
            if copies is None or _value(plain, key.split(".")) != override.value():
                return None
            if any(lie_on_one_branch(key, other.key_or_group) for other in applied if other is not override):
                return None
            found[key] = {key, *copies}
        return found


def _value(config: Plain, names: Sequence[str]) -> Any:
    """Return the value of a key, the names of its groups first."""
    value: Any = config
    for name in names:
        value = value[name] if isinstance(value, Mapping) and name in value else None
    return value


def _replaced(config: Plain, names: Sequence[str], value: Any) -> Plain:
    """Return a configuration with another value of a key; what does not change is shared, not copied."""
    name, *below = names
    return {**config, name: _replaced(config[name], below, value) if below else value}
