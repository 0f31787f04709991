"""Reads checkpoint files: only plain values and tensors, so that a file cannot run code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from src.configuration.earlier_names import with_current_names
from src.configuration.targets import check_stored
from src.errors import UserError

KIND = "polysweep"
"""Marks the checkpoints that this project can load."""


def read_checkpoint(path: str | Path, option: str = "checkpoint") -> dict[str, Any]:
    """Read a checkpoint that mode=train or `scripts/share_checkpoint.py` wrote.

    Args:
        path: of the file.
        option: the key of the command line that names it, for messages.

    Returns:
        What Lightning stores, such as `state_dict`. `hyper_parameters` is the description; its configuration names only
        classes that may be built, by their current names.

    Raises:
        UserError: there is no such file, it is no checkpoint of this project, or its configuration names other code.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(
            f"{option}={path}: there is no such file; outputs/runs/*/checkpoints/ holds checkpoints."
        )
    try:
        state = _loaded(file)
    except Exception as error:
        raise UserError(
            f"{option}={path}: it cannot be read as a checkpoint; was it written by this project?"
        ) from error
    description = state.get("hyper_parameters") if isinstance(state, Mapping) else None
    if not isinstance(description, Mapping) or description.get("kind") != KIND:
        raise UserError(
            f"{option}={path}: it is no checkpoint of this project; take a best.ckpt that mode=train wrote."
        )
    config = description.get("config")
    if not isinstance(config, Mapping):
        raise UserError(
            f"{option}={path}: it holds no configuration; take a best.ckpt that mode=train wrote."
        )
    try:
        check_stored(config)
    except UserError as error:
        raise UserError(f"{option}={path}: its {error}") from error
    return {**state, "hyper_parameters": {**description, "config": with_current_names(config)}}


def read_if_whole(path: Path) -> dict[str, Any] | None:
    """Return what a checkpoint holds; `None` where it is not complete, or holds more than plain values and tensors."""
    try:
        return dict(_loaded(path))
    except Exception:
        return None


def _loaded(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)
