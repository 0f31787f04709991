"""`run.py --trial FOLDER [MODULE]`: a process of a trial that a sweep or another process of the trial has begun."""

import os
import sys
from pathlib import Path
from typing import Any

TRIAL = "src.trial"


def run_placed(folder: Path, trial: str = TRIAL) -> int:
    """Run the trial of a job that a sweep has placed, or take part in it as a further rank.

    Args:
        folder: the trial's, with the frozen `config.yaml`.
        trial: import path of the module that is the trial.

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
        _check(job.config)
    return work(job, sys.argv, lambda: None)


def run_rank(folder: Path) -> int:
    """Take part in a running trial; a rank that fails raises, and Lightning stops the others.

    Raises:
        UserError: the configuration names code that is neither this project's nor trusted.
    """
    from omegaconf import OmegaConf

    from src.trial import run

    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert isinstance(config, dict)
    plain = {str(key): value for key, value in config.items()}
    _check(plain)
    info = {"signature": folder.name, "attempt": 0, "sweep": "", "overrides": []}
    run(plain | {"logger": {}}, folder, lambda _: None, info)
    return 0


def _check(config: dict[str, Any]) -> None:
    from src.configuration.targets import check_stored

    check_stored(config)
