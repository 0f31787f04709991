"""The environment of a measurement: commit, versions, device."""

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from src.configuration.devices import device_name
from src.paths import ROOT

PACKAGES = ("torch", "torchaudio", "lightning", "torchmetrics", "hydra-core", "numpy", "scikit-learn")


def environment(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the machine and the code of this process.

    Args:
        trainer: group of the frozen configuration, for device and precision.
    """
    return {
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
        "device": device_name(trainer["accelerator"]),
        "devices": trainer["devices"],
        "precision": trainer["precision"],
        "threads": torch.get_num_threads(),
        "visible_devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "platform": platform.platform(),
    }


@cache
def git_commit() -> str | None:
    """Return the commit that is checked out, with `+` where tracked files differ; None without git or a checkout."""
    if not (ROOT / ".git").exists():
        return None
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
