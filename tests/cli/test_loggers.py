"""Loggers cost no trial, whatever becomes of the network and of W&B's processes."""

import socket

import pytest
from conftest import read


@pytest.mark.slow
def test_a_sweep_survives_the_end_of_the_service_and_a_login_without_network(project, tmp_path):
    outputs, mark = tmp_path / "my outputs", tmp_path / "killed"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = project.run(
            "-m", "experiment=debug", "trainer=cpu", "hydra.launcher.gpus=[0]", "seed=1,2", f"outputs={outputs}",
            "trust=kill_service", "+callbacks.kill._target_=kill_service.KillService",
            f"+callbacks.kill.mark={mark}",
            WANDB_MODE="online", WANDB_API_KEY="0" * 40, WANDB_BASE_URL=address,
        )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert mark.exists()
    assert result.stderr.count(f"W&B: {address} does not answer") == 1
    runs = {read(run / "metrics.json")["seed"]: run for run in (outputs / "runs").iterdir()}
    assert [read(runs[seed] / "status.json")["attempt"] for seed in (1, 2)] == [1, 1]
    logs = {seed: (runs[seed] / "train.log").read_text() for seed in (1, 2)}
    [line] = logs[1].splitlines()
    assert "WandbLogger failed and is left out" in line
    assert logs[2] == ""
    assert all(list(run.glob("wandb/offline-run-*/*.wandb")) for run in runs.values())
    assert f"wandb sync '{outputs}/runs/'{{" in result.stdout
