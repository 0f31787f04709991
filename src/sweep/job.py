"""One trial of a sweep, as the queue holds it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """A trial whose configuration is resolved, checked and frozen.

    Args:
        signature: names the trial and its folder.
        config: plain values, resolved.
        overrides: what the user typed for this trial, `key=value` each.
        outputs: the folder that holds `runs/`, `sweeps/` and `cache/`.
        trial: import path of the module whose `run(config, folder, report, info)` is one trial.
        code: the fingerprint of the code.
        sweep: the sweep's name, empty for a single trial.
        shared: the overrides that all trials of the sweep have.
    """

    signature: str
    config: dict[str, Any]
    overrides: tuple[str, ...]
    outputs: Path
    trial: str
    code: str
    sweep: str = ""
    shared: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """`outputs/runs/<signature>/`."""
        return self.outputs / "runs" / self.signature

    @property
    def name(self) -> str:
        """What tells it from the sweep's other trials: its overrides."""
        own = [override for override in self.overrides if override not in self.shared]
        return " ".join(own or self.overrides) or "defaults"
