"""`run.py --trial FOLDER [MODULE]`: a process of a trial, started by a sweep or by another process of the trial."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

TRIAL = "src.trial"


def run_placed(folder: Path, trial: str = TRIAL) -> int:
    """Run a trial that a sweep has placed, or join it as a further rank.

    Args:
        folder: of the trial, with the frozen `config.yaml`.
        trial: import path of the trial's module.

    Returns:
        The exit code.

    Raises:
        UserError: the folder holds no job, or its configuration names code that is neither this project's nor
            trusted.
    """
    if "LOCAL_RANK" in os.environ:
        return run_rank(folder)
    from src.sweep.executors.worker import work
    from src.sweep.job import Job

    job = Job.read(folder.resolve(), trial)
    if trial == TRIAL:
        job = replace(job, config=_checked(job.config))
    return work(job, sys.argv, lambda: None)


def run_rank(folder: Path) -> int:
    """Join a running distributed trial; if this rank raises, Lightning stops the others.

    Raises:
        UserError: the configuration names code that is neither this project's nor trusted.
    """
    from omegaconf import OmegaConf

    from src.errors import UserError
    from src.sweep.folder import TrialFolder
    from src.sweep.identity import code
    from src.trial import run

    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert isinstance(config, dict)
    status = TrialFolder(folder).status()
    if status.get("code") != code():
        raise UserError("the code in src/ has changed since the trial began; run the command again.")
    plain = _checked({str(key): value for key, value in config.items()})
    test = status.get("test", True)
    info = {"signature": folder.name, "attempt": 0, "sweep": "", "overrides": [], "test": test}
    run(plain | {"logger": {}}, folder, lambda _: None, info)
    return 0


def _checked(config: dict[str, Any]) -> dict[str, Any]:
    from src.configuration.earlier_names import with_current_names
    from src.configuration.targets import check_stored

    check_stored(config)
    return with_current_names(config)
