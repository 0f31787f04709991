import os
import warnings
from pathlib import Path

import pytest
from lightning.pytorch.plugins.environments import SLURMEnvironment

from src.libraries import configure_libraries


def test_a_cluster_on_which_no_job_runs_is_not_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "srun").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith("SLURM")]:
        monkeypatch.delenv(name)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        SLURMEnvironment.detect()
        assert len(shown) == 1
        configure_libraries()
        SLURMEnvironment.detect()
    assert len(shown) == 1
