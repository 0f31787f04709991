"""Composes the configurations of a sweep's trials as Hydra does, but what they have in common only once."""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

_SEED = re.compile(r"seed=\d{1,18}")


class Composer:
    """Composes configurations.

    Hydra composes each trial from the YAML files, which takes some tenths of a second. Here the choices of groups are
    composed once, and other overrides applied to a copy by Hydra's own function.

    Args:
        loader: Hydra's.
        master: the sweep's configuration, with the node `hydra`.
    """

    def __init__(self, loader: Any, master: DictConfig) -> None:
        self._loader = loader
        self._master = master
        self._parser = OverridesParser.create(config_loader=loader)
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self._resolved: dict[tuple[str, ...], dict[str, Any]] = {}
        # Further folders may have further groups, which the loader does not know.
        hydra = OmegaConf.to_container(master.hydra.overrides.hydra)
        self._has_folders = any("hydra.searchpath" in str(override) for override in hydra or [])

    def resolve(self, typed: Sequence[str], check: Callable[[DictConfig], None]) -> dict[str, Any]:
        """Return the configuration of a trial as plain values; trials that differ in the seed share what is in it.

        Args:
            typed: its overrides, each with one value.
            check: is called with the configuration before its interpolations are resolved.

        Raises:
            HydraException: the overrides are none, or do not fit the configuration.
            OmegaConfBaseException: a value is missing, or an interpolation leads nowhere.
        """
        seeds = [text for text in typed if _SEED.fullmatch(text)]
        others = tuple(text for text in typed if text not in seeds)
        if len(seeds) != 1 or not self._seed_is_free(others):
            return self._plain(typed, check)
        if others not in self._resolved:
            self._resolved[others] = self._plain(others, check)
        return self._resolved[others] | {"seed": int(seeds[0].partition("=")[2])}

    def _plain(self, typed: Sequence[str], check: Callable[[DictConfig], None]) -> dict[str, Any]:
        config = self.compose(typed)
        check(config)
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        assert isinstance(plain, dict)
        return {str(key): value for key, value in plain.items()}

    def _seed_is_free(self, typed: tuple[str, ...]) -> bool:
        """Whether a configuration has a seed, and nothing else in it depends on that."""
        if typed not in self._resolved:
            config = self.compose(typed)
            return "seed" in config and "${seed" not in OmegaConf.to_yaml(config, resolve=False)
        return True

    def compose(self, typed: Sequence[str]) -> DictConfig:
        """Return the configuration of a trial, without the node `hydra`, its interpolations not resolved.

        Args:
            typed: its overrides, each with one value.

        Raises:
            HydraException: they are no overrides, or do not fit the configuration.
        """
        parsed = self._parser.parse_overrides(list(typed))
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

    def _load(self, typed: Sequence[str]) -> DictConfig:
        config: DictConfig = self._loader.load_sweep_config(self._master, list(typed))
        with open_dict(config):
            del config["hydra"]
        return config

    def _is_value(self, override: Override) -> bool:
        """Whether Hydra applies an override after composition; others choose from groups."""
        is_group = self._loader.repository.group_exists(override.key_or_group)
        return isinstance(override.value(), dict) or not is_group
