import json
from pathlib import Path

import pytest
import torch
from conftest import Project

TINY = ("experiment=debug", "trainer=gpu", "logger=[]")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_trial_on_a_gpu_sees_one(project: Project, tmp_path: Path) -> None:
    done = project.run("-m", *TINY, "seed=1,2", f"outputs={tmp_path}")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "runs").glob("*/metrics.json"):
        environment = json.loads(path.read_text())["environment"]
        assert len(environment["visible_devices"].split(",")) == 1
        assert environment["precision"] in ("bf16-mixed", "16-mixed", "32-true")
