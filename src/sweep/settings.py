"""How a sweep runs."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How a sweep runs; each is a key of the command line.

    Args:
        outputs: the folder of everything.
        trial: import path of the module that is one trial, a `src.sweep.protocol.Trial`.
        name: the sweep's folder below `outputs/sweeps`; None makes one of date and time.
        dry_run: print the trials and stop.
        retry: run failed trials again.
        reuse: `same_code` or `any`.
        timeout: seconds a trial may take.
    """

    outputs: Path
    trial: str
    name: str | None = None
    dry_run: bool = False
    retry: bool = False
    reuse: str = "same_code"
    timeout: float | None = None
