"""A further rank of a distributed trial: Lightning starts the trial's own command once for each."""

import sys
from pathlib import Path


def run_rank(folder: Path) -> int:
    """Take part in a trial that is running.

    Args:
        folder: the trial's, with the frozen `config.yaml`.

    Returns:
        0; a rank that fails raises, and Lightning stops the others.

    Raises:
        UserError: the configuration names code that is neither this project's nor trusted.
    """
    from omegaconf import OmegaConf

    from src.configuration.targets import check_stored
    from src.trial import run

    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert isinstance(config, dict)
    check_stored({str(key): value for key, value in config.items()})
    sys.argv = [sys.argv[0], "--trial", str(folder)]
    info = {"signature": folder.name, "attempt": 0, "sweep": "", "overrides": []}
    run({str(key): value for key, value in config.items()} | {"logger": {}}, folder, lambda _: None, info)
    return 0
