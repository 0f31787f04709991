"""Composes the configurations of a sweep's trials as Hydra does, but what they have in common only once."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException


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
        # Further folders may have further groups, which the loader does not know.
        hydra = OmegaConf.to_container(master.hydra.overrides.hydra)
        self._has_folders = any("hydra.searchpath" in str(override) for override in hydra or [])

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
