"""Which keys have an effect on what is run: what was typed and would have none is refused."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from src.configuration.known_keys import known_keys
from src.configuration.typed import Typed, read
from src.errors import UserError
from src.words import did_you_mean, listed

EVERY_MODE = ("mode", "outputs", "trust", "hydra")
READS = {
    "train": (
        *("experiment", "data", "seed", "batch_size", "generation"),
        *("model", "augment", "optimizer", "scheduler", "loss", "regularization", "init_from", "transfer"),
        *("trainer", "callbacks", "logger", "overfit_batches", "objective"),
        *("dry_run", "retry", "reuse", "timeout", "sweep"),
    ),
    "prepare": ("experiment", "data"),
    "test": ("checkpoint", "experiment", "data", "class_map", "thresholds"),
    "predict": ("checkpoint", "input"),
    "generate": ("checkpoint", "experiment", "data", "generation", "seed"),
}
"""By mode, the keys and groups at the root of the configuration that have an effect in it."""

_OF_SWEEPS = ("sweep", "hydra.launcher", "hydra.sweeper")
_SWEEPING = ("-m", "--multirun")
_SHOWING = ("--hydra-help", "-c", "--cfg", "-i", "--info")

Config = Mapping[str, Any]


def _generation(config: Config, key: str) -> Any:
    return (config.get("generation") or {}).get(key)


_IDLE: tuple[tuple[str, Callable[[Config], bool], str], ...] = (
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
"""Keys, when other keys take their effect, and that in words."""


def refuse_without_effect(arguments: Sequence[str]) -> None:
    """Refuse keys that have no effect in the mode that was typed, before anything is composed.

    Args:
        arguments: of the command line.

    Raises:
        UserError: the message says in which mode the key has an effect.
    """
    if any(argument.partition("=")[0] in _SHOWING for argument in arguments):
        return
    typed = [found for argument in arguments if (found := read(argument))]
    mode = next((one.value for one in reversed(typed) if one.key == "mode"), "train")
    if mode not in READS:
        return
    for one in typed:
        modes = [name for name, keys in READS.items() if one.root in keys]
        if modes and mode not in modes:
            raise UserError(
                f"{one.key} has no effect with mode={mode}, it is for mode={listed(modes)}: "
                f"choose {'that' if len(modes) == 1 else 'one of them'}, or leave {one.key} out."
            )
    if not any(argument in _SWEEPING or argument.startswith("hydra.mode=") for argument in arguments):
        _refuse_of_sweeps(typed)


def _refuse_of_sweeps(typed: Iterable[Typed]) -> None:
    for one in typed:
        if any(one.is_below(key) for key in _OF_SWEEPS):
            raise UserError(f"{one.key} is for a sweep: add -m, or leave it out.")


def refuse_idle(trials: Sequence[tuple[Config, Sequence[str]]]) -> None:
    """Refuse keys that were typed and that, because of others, have no effect in any trial.

    Args:
        trials: of each the composed configuration, plain values, and the overrides as typed.

    Raises:
        UserError: the message names the others.
    """
    first, *others = [_idle(config, overrides) for config, overrides in trials]
    for key, when in first.items():
        if all(key in other for other in others):
            raise UserError(f"{key} has no effect {when}; leave it out.")


def _idle(config: Config, overrides: Sequence[str]) -> dict[str, str]:
    typed = [found for override in overrides if override[:1] != "~" and (found := read(override))]
    return {one.key: when for one in typed for key, idle, when in _IDLE if one.is_below(key) and idle(config)}


def refuse_unknown(config: DictConfig, overrides: Sequence[str], conf: Path) -> None:
    """Refuse keys that were added to the root of the configuration and that nothing reads.

    Args:
        config: composed, its interpolations not yet resolved: what they name is read.
        overrides: as typed.
        conf: the folder of the configuration.

    Raises:
        UserError: `+kye=1`.
    """
    known = {*EVERY_MODE, *chain.from_iterable(READS.values())}
    typed = [found for override in overrides if (found := read(override))]
    unknown = [one for one in typed if one.added and not one.is_choice and one.root not in known]
    if not unknown:
        return
    text = OmegaConf.to_yaml(config, resolve=False)
    for one in unknown:
        if not re.search(rf"\$\{{[^}}]*\b{re.escape(one.root)}\b", text):
            near = did_you_mean(one.key, sorted(known_keys(conf)))
            raise UserError(f"{one.key}: nothing reads this key, so it has no effect; leave it out.{near}")
