"""Checkpoints to be passed on: small, and without the paths of the machine that trained them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from src.commands.checkpoint import load
from src.configuration.checkpoint_files import read_checkpoint
from src.errors import UserError
from src.paths import CHECKPOINTS

SHARED = CHECKPOINTS / "instruments.ckpt"
"""The checkpoint that mode=predict uses where none is named; its model card lies beside it."""

_LARGE = 1000
"""Tensors with at least so many values are stored in 16 bits."""


def share(source: Path, target: Path) -> None:
    """Write a checkpoint with its weights in float16 and without optimizer, loops and paths.

    Args:
        source: a checkpoint that mode=train wrote.
        target: the file to write; its folder is made.

    Raises:
        UserError: the source is no checkpoint of this project, or source and target are the same file.
    """
    if source.resolve() == target.resolve():
        raise UserError(
            f"{source} would be overwritten, and training could not be resumed from it; name another file"
        )
    load(source)
    state = read_checkpoint(source)
    light = {
        "hyper_parameters": without_paths(state["hyper_parameters"]),
        "state_dict": {
            name: value.half() if value.numel() >= _LARGE and value.is_floating_point() else value
            for name, value in state["state_dict"].items()
        },
        "pytorch-lightning_version": state["pytorch-lightning_version"],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(light, target)
    load(target)


def without_paths(value: Any) -> Any:
    """Replace every absolute path in plain values by the name of its file, without suffix."""
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return Path(value).stem if isinstance(value, str) and Path(value).is_absolute() else value


def default_checkpoint(named: Any) -> Any:
    """Return the checkpoint that was named, or else the one that comes with the project.

    Raises:
        UserError: none was named, and the project's is missing.
    """
    if named:
        return named
    if not SHARED.is_file():
        raise UserError(
            f"checkpoint= is missing, and {SHARED} is not there; name one, e.g. outputs/runs/…/best.ckpt."
        )
    return str(SHARED)
