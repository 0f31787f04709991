"""One trial of a sweep in the queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.fingerprint import write_json
from src.sweep.limits import Limits


@dataclass(frozen=True)
class Job:
    """A trial whose configuration is resolved, checked and frozen.

    Args:
        signature: identifies the trial, and names its folder.
        config: plain values, resolved.
        overrides: typed by the user for this trial, `key=value` each.
        outputs: the folder that holds `runs/`, `sweeps/` and `cache/`.
        trial: import path of the trial's module, a `src.sweep.protocol.Trial`.
        code: fingerprint of the code.
        sweep: name of the sweep, empty for a single trial.
        shared: overrides that all trials of the sweep have in common.
        inputs: hashes of the files and folders that the signature counts by their content, by path.
        test: whether the trial is measured on the test split, too.
        limits: where the trial stops unless it is good enough; `None`: nowhere.
    """

    signature: str
    config: dict[str, Any]
    overrides: tuple[str, ...]
    outputs: Path
    trial: str
    code: str
    sweep: str = ""
    shared: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    test: bool = True
    limits: Limits | None = None

    def write(self) -> None:
        """Write `job.json` and `limits.json`: what a process needs besides `config.yaml` that knows only the folder."""
        if self.limits:
            self.limits.write(self.folder)
        fields = {
            "signature": self.signature,
            "overrides": self.overrides,
            "code": self.code,
            "sweep": self.sweep,
            "inputs": self.inputs,
            "test": self.test,
        }
        write_json(self.folder / "job.json", fields)

    @classmethod
    def read(cls, folder: Path, trial: str) -> "Job":
        """Read the job that a sweep wrote into a trial's folder.

        Args:
            folder: `outputs/runs/<signature>/`.
            trial: import path, from the command line: files must not decide what is imported.

        Raises:
            UserError: the folder holds no such job.
        """
        from omegaconf import OmegaConf

        try:
            fields = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
        except OSError as error:
            raise UserError(
                f"{folder}: no sweep has placed a trial here ({error}); start one with -m."
            ) from None
        assert isinstance(config, dict)
        plain = {str(key): value for key, value in config.items()}
        overrides = tuple(fields["overrides"])
        return cls(
            fields["signature"],
            plain,
            overrides,
            folder.parent.parent,
            trial,
            fields["code"],
            fields["sweep"],
            inputs=fields["inputs"],
            test=fields["test"],
        )

    @property
    def folder(self) -> Path:
        """`outputs/runs/<signature>/`."""
        return self.outputs / "runs" / self.signature

    @property
    def name(self) -> str:
        """The overrides that distinguish the trial from others of the sweep."""
        own = [override for override in self.overrides if override not in self.shared]
        return " ".join(own or self.overrides) or "defaults"
