"""The keys that steer a command rather than a trial, checked before anything else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.errors import UserError

REUSE = ("same_code", "any")
THRESHOLDS = ("single", "scut", "pcut")


def check_settings(config: Mapping[str, Any]) -> None:
    """Refuse values of another type, and what has no effect in this mode.

    Args:
        config: composed, plain values.

    Raises:
        UserError: one is not what it should be.
    """
    for key in ("dry_run", "retry"):
        if not isinstance(config[key], bool):
            raise UserError(f"{key}={config[key]}: choose true or false.")
    if config["reuse"] not in REUSE:
        raise UserError(f"reuse={config['reuse']}: choose {' or '.join(REUSE)}.")
    if config["thresholds"] not in THRESHOLDS:
        raise UserError(f"thresholds={config['thresholds']}: choose {', '.join(THRESHOLDS)}.")
    if config["thresholds"] != "single" and config["mode"] != "test":
        raise UserError(f"thresholds={config['thresholds']} is for mode=test; leave it out.")
    timeout = config["timeout"]
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
        choices = ", ".join(sorted(file.stem for file in (conf / group).glob("*.yaml")))
        several = f", or {group}=[] for none" if group in ("augment", "callbacks", "logger") else ""
        raise UserError(f"{argument}: choose one of {choices}{several}.")
