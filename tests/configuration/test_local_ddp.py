import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lightning.pytorch import Trainer

from src.configuration.local_ddp import LocalDDPStrategy, listen_locally
from src.paths import ROOT

RANK = """
import json, os, sys
import psutil, torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from src.configuration.local_ddp import LocalDDPStrategy

cpus = [torch.device("cpu")] * 2
environment = LightningEnvironment()
strategy = LocalDDPStrategy(parallel_devices=cpus, cluster_environment=environment)
strategy.setup_environment = None
strategy._local_rank = int(os.environ["LOCAL_RANK"])
strategy.setup_distributed()
total = torch.ones(1) * (1 + strategy.global_rank)
torch.distributed.all_reduce(total)
listening = [found.laddr.ip for found in psutil.Process().net_connections() if found.status == "LISTEN"]
torch.distributed.barrier()
print(json.dumps([total.item(), listening]))
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.slow
def test_the_processes_of_one_machine_listen_to_no_other() -> None:
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RANK],
            env=os.environ | shared | {"LOCAL_RANK": str(rank)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [total for total, _ in said] == [3.0, 3.0]
    addresses = {address for _, listening in said for address in listening}
    assert said[0][1], "the first process holds the store"
    assert addresses <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "options", [{"strategy": "ddp"}, {}, {"strategy": "ddp_find_unused_parameters_true"}]
)
def test_it_is_what_lightning_takes(options: dict[str, str], tmp_path: Path) -> None:
    listen_locally()
    trainer = Trainer(accelerator="cpu", devices=2, logger=False, default_root_dir=tmp_path, **options)
    assert isinstance(trainer.strategy, LocalDDPStrategy)
