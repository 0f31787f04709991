"""Refuses keys that were typed and would have no effect."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from src.configuration.known_keys import known_keys
from src.configuration.settings import OF_GRID, OF_SEARCH
from src.configuration.typed import Typed, read
from src.errors import UserError
from src.words import did_you_mean, listed

EVERY_MODE = ("mode", "outputs", "trust", "hydra")
READS = {
    "train": (
        *("experiment", "data", "seed", "batch_size", "generation"),
        *("model", "augment", "optimizer", "scheduler", "loss", "regularization", "init_from", "transfer"),
        *("trainer", "callbacks", "logger", "overfit_batches", "objective"),
        *("dry_run", "retry", "reuse", "timeout", "cores", "sweep", "search", *OF_SEARCH, *OF_GRID),
    ),
    "prepare": ("experiment", "data"),
    "test": ("checkpoint", "experiment", "data", "class_map", "thresholds"),
    "predict": ("checkpoint", "input", "pictures"),
    "generate": ("checkpoint", "experiment", "data", "generation", "seed"),
}
"""By mode, the keys and groups at the root of the configuration that have an effect in it."""

_SWEEP_KEYS = ("sweep", "search", *OF_SEARCH, *OF_GRID, "hydra.launcher", "hydra.sweeper")
_SWEEPING = ("-m", "--multirun")
_SHOWING = ("--hydra-help", "-c", "--cfg", "-i", "--info")

Config = Mapping[str, Any]


def _generation(config: Config, key: str) -> Any:
    return (config.get("generation") or {}).get(key)


def _is_grid(config: Config) -> bool:
    return bool(config.get("search", "grid") == "grid")


_IDLE: tuple[tuple[str, Callable[[Config], bool], str], ...] = (
    *((key, _is_grid, "with search=grid, which runs all combinations") for key in OF_SEARCH),
    ("min_epochs", lambda config: config.get("pruner") == "none", "with pruner=none"),
    (
        "reduction_factor",
        lambda config: config.get("pruner") not in ("asha", "hyperband"),
        "but with pruner=asha and pruner=hyperband",
    ),
    ("sweep.reference", lambda config: not _is_grid(config), "with a search, which may never propose it"),
    ("callbacks.early_stopping", lambda config: bool(config.get("overfit_batches")), "with overfit_batches"),
    ("callbacks.learning_rate", lambda config: not config.get("logger"), "without a logger"),
    ("generation.steps", lambda config: bool(_generation(config, "bars")), "with generation.bars"),
    ("generation.beats_per_bar", lambda config: not _generation(config, "bars"), "without generation.bars"),
    (
        "generation.temperature",
        lambda config: _generation(config, "threshold") is not None,
        "with generation.threshold",
    ),
)
"""Keys; when other keys take away their effect; and the same condition in words."""


def refuse_without_effect(arguments: Sequence[str]) -> None:
    """Refuse keys that have no effect in the mode that was typed, before anything is composed.

    Args:
        arguments: of the command line.

    Raises:
        UserError: there is one; the message says in which mode it has an effect.
    """
    if any(argument.partition("=")[0] in _SHOWING for argument in arguments):
        return
    typed = [override for argument in arguments if (override := read(argument))]
    mode = next((override.value for override in reversed(typed) if override.key == "mode"), "train")
    if mode not in READS:
        return
    for override in typed:
        modes = [name for name, keys in READS.items() if override.root in keys]
        if modes and mode not in modes:
            raise UserError(
                f"{override.key} has no effect with mode={mode}, it is for mode={listed(modes)}: "
                f"choose {'that' if len(modes) == 1 else 'one of them'}, or leave {override.key} out."
            )
    if not is_sweep(arguments):
        _refuse_sweep_keys(typed)


def is_sweep(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for a sweep."""
    return any(argument in _SWEEPING or argument == "hydra.mode=MULTIRUN" for argument in arguments)


def _refuse_sweep_keys(typed: Iterable[Typed]) -> None:
    for override in typed:
        if any(override.is_below(key) for key in _SWEEP_KEYS):
            raise UserError(f"{override.key} is for a sweep: add -m, or leave it out.")


def refuse_idle(trials: Sequence[tuple[Config, Sequence[str]]]) -> None:
    """Refuse typed keys that, because of other keys, have no effect in any trial.

    Args:
        trials: for each, the composed configuration as plain values, and the overrides as typed.

    Raises:
        UserError: there is one; the message names the other key.
    """
    first, *rest = [_idle(config, overrides) for config, overrides in trials]
    for key, condition in first.items():
        if all(key in idle for idle in rest):
            raise UserError(f"{key} has no effect {condition}; leave it out.")


def _idle(config: Config, overrides: Sequence[str]) -> dict[str, str]:
    """Return the typed keys without effect in a trial, and for each the condition in words."""
    typed = [found for override in overrides if override[:1] != "~" and (found := read(override))]
    return {
        override.key: condition
        for override in typed
        for key, is_idle, condition in _IDLE
        if override.is_below(key) and is_idle(config)
    }


def refuse_unknown(config: DictConfig, overrides: Sequence[str], conf: Path) -> None:
    """Refuse keys that were added at the root of the configuration and that nothing reads.

    Args:
        config: composed, its interpolations not resolved; a key that one of them names is read.
        overrides: as typed.
        conf: the folder of the configuration.

    Raises:
        UserError: there is one, such as `+kye=1`.
    """
    known = {*EVERY_MODE, *chain.from_iterable(READS.values())}
    typed = [found for override in overrides if (found := read(override))]
    unknown = [key for key in typed if key.added and not key.is_choice and key.root not in known]
    if not unknown:
        return
    text = OmegaConf.to_yaml(config, resolve=False)
    for added in unknown:
        if not re.search(rf"\$\{{[^}}]*\b{re.escape(added.root)}\b", text):
            nearest = did_you_mean(added.key, sorted(known_keys(conf)))
            raise UserError(
                f"{added.key}: nothing reads this key, so it has no effect; leave it out.{nearest}"
            )
