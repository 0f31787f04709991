"""Writes checkpoints so that there is a complete one at any time, and finds and reads one to resume from."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from src.configuration.checkpoint_checks import BEST
from src.configuration.checkpoint_files import read_if_whole
from src.fingerprint import replacing, unfinished_in
from src.messages import say
from src.signals import held_back

LAST = "last.ckpt"
"""The checkpoint that a trial is resumed from."""

BEFORE_LAST = "before_last.ckpt"
"""The one before it, kept while the trial runs."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its target, and renames it once it is on disk.

    Lightning writes to the folder of temporary files and moves it from there, which is a copy where that folder is on
    another file system.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint; if that fails, the file of that name stays as it was.

        Signals wait until it is written: torch ends the process where an exception arrives while it writes.
        """
        assert storage_options is None
        target = Path(path)
        with held_back(), replacing(target) as unfinished:
            with unfinished.open("wb") as file:
                torch.save(checkpoint, file)
            if target.name == LAST and target.exists():
                _keep(target, target.with_name(BEFORE_LAST))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; what it says of checkpoints in its own folder is true of the folder it lies in now.

        Lightning forgets the best score where that is another folder, and keeps the next epoch as the best.
        """
        checkpoint: dict[str, Any] = super().load_checkpoint(path, map_location, weights_only)
        for state in _checkpoint_states(checkpoint):
            _rebase(state, os.path.realpath(Path(path).parent))
        return checkpoint


def checkpoint_to_resume(folder: Path, known: Mapping[str, Tensor] | None = None) -> Path | None:
    """Return the latest checkpoint of a trial that can be read; `None` if there is none, or `best.ckpt` is gone.

    Without `best.ckpt` the others are deleted: they are not to be taken for those of the training that begins now.

    Args:
        folder: `checkpoints/` of the trial.
        known: the weights of its network, whose names and shapes those of the checkpoint must have; `None`: any.
    """
    broken: list[str] = []
    for name in (LAST, BEFORE_LAST):
        path = folder / name
        if not path.exists():
            continue
        checkpoint = read_if_whole(path, known)
        if checkpoint is not None:
            if _best_is_gone(checkpoint, folder):
                _say(f"{folder / BEST}.ckpt is gone; the trial starts again")
                _forget(folder, LAST, BEFORE_LAST)
                return None
            if broken:
                _say(f"{folder / LAST} cannot be read; the trial goes on from {name}")
            return path
        broken.append(name)
    if broken:
        _say(f"{folder}: {' and '.join(broken)} cannot be read; the trial starts again")
    return None


def forget_unneeded(folder: Path) -> None:
    """Delete what a finished trial needs no more."""
    for path in (folder / BEFORE_LAST, *unfinished_in(folder)):
        path.unlink(missing_ok=True)


def _keep(path: Path, copy: Path) -> None:
    """Let a file have a second name, where the file system can; `path` stays all the time."""
    copy.unlink(missing_ok=True)
    try:
        os.link(path, copy)
    except OSError:
        shutil.copyfile(path, copy)


def _checkpoint_states(checkpoint: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the states of `ModelCheckpoint` callbacks."""
    for state in checkpoint.get("callbacks", {}).values():
        if "best_model_path" in state and state.get("dirpath"):
            yield state


def _rebase(state: dict[str, Any], folder: str) -> None:
    """Let a state of `ModelCheckpoint` name files in `folder` where it names those in its `dirpath`."""

    def rebased(path: str) -> str:
        return str(Path(folder, os.path.relpath(path, state["dirpath"]))) if path else ""

    for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
        state[name] = rebased(state[name])
    state["best_k_models"] = {rebased(path): score for path, score in state["best_k_models"].items()}
    state["dirpath"] = folder


def _best_is_gone(checkpoint: Mapping[str, Any], folder: Path) -> bool:
    named = {Path(state["best_model_path"]).name for state in _checkpoint_states(checkpoint)}
    return f"{BEST}.ckpt" in named and not (folder / f"{BEST}.ckpt").exists()


@rank_zero_only
def _forget(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


_say = rank_zero_only(say)
