"""The keys that steer a command rather than a trial, checked before anything else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.configuration.choices import choices
from src.configuration.words import listed
from src.errors import UserError

CHOICES = {"reuse": ("same_code", "any"), "thresholds": ("single", "scut", "pcut")}


def check_settings(config: Mapping[str, Any]) -> None:
    """Refuse values of another type.

    Args:
        config: composed, plain values; which of the keys it has depends on the mode.

    Raises:
        UserError: one is not what it should be.
    """
    for key in ("dry_run", "retry"):
        if not isinstance(config.get(key, False), bool):
            raise UserError(f"{key}={config[key]}: choose true or false.")
    for key, known in CHOICES.items():
        if config.get(key, known[0]) not in known:
            raise UserError(f"{key}={config[key]}: choose {listed(known)}.")
    timeout = config.get("timeout")
    if timeout is not None and (
        isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0
    ):
        raise UserError(f"timeout={timeout}: give seconds, more than 0, or null.")
    if isinstance(config["seed"], bool) or not isinstance(config["seed"], int) or config["seed"] < 0:
        raise UserError(f"seed={config['seed']}: choose a whole number from 0.")
    if not config["outputs"]:
        raise UserError("outputs= is empty: name the folder that everything is written to.")


def refuse_empty_groups(arguments: Sequence[str], conf: Path) -> None:
    """Refuse `group=null` and `group=3`, which Hydra answers with a traceback.

    Raises:
        UserError: a group has no choice of that name; the message lists them.
    """
    for argument in arguments:
        group, _, value = argument.partition("=")
        if not (conf / group).is_dir() or not group or (value not in ("", "null") and not value.isdigit()):
            continue
        if "experiment" in group and value == "null":
            continue
        several = f", or {group}=[] for none" if group in ("augment", "callbacks", "logger") else ""
        raise UserError(f"{argument}: choose one of {', '.join(choices(group, conf))}{several}.")
