"""Writes checkpoints so that there is a complete one at any time, and finds one to resume from."""

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities import rank_zero_only

from src.configuration.checkpoint_files import readable
from src.fingerprint import replacing, unfinished_in
from src.messages import say

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
        """Write a checkpoint; if that fails, the file of that name stays as it was."""
        assert storage_options is None
        target = Path(path)
        with replacing(target) as unfinished:
            with unfinished.open("wb") as file:
                torch.save(checkpoint, file)
            if target.name == LAST and target.exists():
                _keep(target, target.with_name(BEFORE_LAST))


def checkpoint_to_resume(folder: Path) -> Path | None:
    """Return the latest checkpoint of a trial that can be read; `None` if there is none.

    Args:
        folder: `checkpoints/` of the trial.
    """
    broken: list[str] = []
    for name in (LAST, BEFORE_LAST):
        path = folder / name
        if not path.exists():
            continue
        if readable(path):
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


_say = rank_zero_only(say)
