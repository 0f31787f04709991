"""One trial of a sweep, as the queue holds it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.fingerprint import write_json


@dataclass(frozen=True)
class Job:
    """A trial whose configuration is resolved, checked and frozen.

    Args:
        signature: names the trial and its folder.
        config: plain values, resolved.
        overrides: what the user typed for this trial, `key=value` each.
        outputs: the folder that holds `runs/`, `sweeps/` and `cache/`.
        trial: import path of the module that is the trial, a `src.sweep.protocol.Trial`.
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

    def write(self) -> None:
        """Write `job.json`: what a process that knows the folder only needs beside `config.yaml`."""
        kept = {
            "signature": self.signature,
            "overrides": self.overrides,
            "code": self.code,
            "sweep": self.sweep,
        }
        write_json(self.folder / "job.json", kept)

    @classmethod
    def read(cls, folder: Path, trial: str) -> "Job":
        """Read the job that a sweep has written into a trial's folder.

        Args:
            folder: `outputs/runs/<signature>/`.
            trial: import path; it comes from the command line, because no file decides what is imported.

        Raises:
            UserError: the folder holds no such job.
        """
        from omegaconf import OmegaConf

        try:
            kept = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
        except OSError as error:
            raise UserError(
                f"{folder}: no sweep has placed a trial here ({error}); start one with -m."
            ) from None
        assert isinstance(config, dict)
        plain = {str(key): value for key, value in config.items()}
        overrides = tuple(kept["overrides"])
        return cls(
            kept["signature"], plain, overrides, folder.parent.parent, trial, kept["code"], kept["sweep"]
        )

    @property
    def folder(self) -> Path:
        """`outputs/runs/<signature>/`."""
        return self.outputs / "runs" / self.signature

    @property
    def name(self) -> str:
        """What tells it from the sweep's other trials: its overrides."""
        own = [override for override in self.overrides if override not in self.shared]
        return " ".join(own or self.overrides) or "defaults"
