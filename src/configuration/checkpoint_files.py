"""Reads checkpoint files: only plain values and tensors, so that a file cannot run code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.configuration.checkpoint_archive import check_archive
from src.configuration.checkpoint_contents import (
    REMEDY,
    REMEDY_OF_VERSION,
    check_description,
    check_plain,
    check_weights,
)
from src.configuration.earlier_names import with_current_names
from src.configuration.targets import check_stored
from src.errors import NotFiniteError, UserError, one_line
from src.models.weights import misfit
from src.paths import not_a_file

KIND = "polysweep"
"""Marks the checkpoints that this project can load."""

_LONGEST = 300
"""Characters of what is said of a configuration."""


def read_checkpoint(path: str | Path, option: str = "checkpoint") -> dict[str, Any]:
    """Read a checkpoint that mode=train or `scripts/share_checkpoint.py` wrote.

    Args:
        path: of the file.
        option: the key of the command line that names it, for messages.

    Returns:
        What Lightning stores, such as `state_dict`, whose values are finite. `hyper_parameters` is the description,
        plain values; its configuration names only classes that may be built, by their current names.

    Raises:
        UserError: there is no such file, it is no checkpoint of this project, it is damaged, or its configuration names
            other code.
    """
    file = Path(path).expanduser()
    if problem := not_a_file(file):
        raise UserError(f"{option}={path}: it {problem}; outputs/runs/*/checkpoints/ holds checkpoints.")
    state = _read(file, f"{option}={path}")
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
        check_plain(description)
        check_stored(config)
        check_description(description)
        check_weights(state.get("state_dict"), file.stat().st_size)
    except UserError as error:
        kind = NotFiniteError if isinstance(error, NotFiniteError) else UserError
        raise kind(f"{option}={path}: its {_with_remedy(str(error))}") from error
    return {**state, "hyper_parameters": {**description, "config": with_current_names(config)}}


def _with_remedy(message: str) -> str:
    line = one_line(message, _LONGEST)
    return line if ";" in line and len(line) < _LONGEST else f"{line.rstrip('.')}; {REMEDY_OF_VERSION}"


def _read(file: Path, named: str) -> Any:
    try:
        check_archive(file)
    except UserError as error:
        raise UserError(f"{named}: it cannot be read as a checkpoint, since it {error}; {REMEDY}") from error
    try:
        return _loaded(file)
    except Exception as error:
        raise UserError(f"{named}: it cannot be read as a checkpoint; {REMEDY}") from error


def read_if_whole(path: Path, known: Mapping[str, Tensor] | None = None) -> dict[str, Any] | None:
    """Return what a checkpoint holds; `None` where it is not complete, or its weights cannot be trained further.

    Args:
        path: of the file; it may hold plain values and tensors only.
        known: the weights that its own are to replace; `None`: any.
    """
    try:
        check_archive(path)
        state = dict(_loaded(path))
        check_weights(state["state_dict"], path.stat().st_size)
    except Exception:
        return None
    return None if known is not None and misfit(known, state["state_dict"]) else state


def _loaded(path: Path) -> Any:
    """Return what a file holds that `check_archive` has let pass."""
    return torch.load(path, map_location="cpu", weights_only=True)
