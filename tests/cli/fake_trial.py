"""A trial that trains nothing: what the sweep does with trials can be tried in a second.

Keys, all below `+fake.`: `epochs`, `epoch_s`, `fault` (see `_fault`), `child` (starts a process that would
outlive the trial), `x` and `y` (the objective is best at .3 of each), `rises` (the objective grows to that of the
end), `waits_at` (the trial with this `x` ends when three others have finished).
"""

import ctypes
import json
import math
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from src.configuration.settings import root_roles
from src.errors import UserError
from src.options import Role

EPOCHS, EPOCH_S = 2, 0.02


def freeze(config: Mapping[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    frozen = deepcopy(dict(config)) | {"data": {}}
    if _fake(config).get("fault") == "refused":
        raise UserError("fake.fault=refused: choose another.")
    return frozen


def roles(config: Mapping[str, Any]) -> dict[str, frozenset[Role]]:
    return root_roles()


def incomparable(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    return []


def gpus() -> list[str]:
    return []


def gpus_needed(config: Mapping[str, Any]) -> int:
    return 0


def prepare(configs: Sequence[Mapping[str, Any]]) -> None:
    outputs = Path(configs[0]["outputs"])
    with (outputs / "prepared.txt").open("a") as file:
        file.write(f"{len(configs)}\n")


def jackknife(folders: Sequence[Path], metric: str, blocks: int = 100) -> list[None]:
    return [None] * len(folders)


def score(config: Mapping[str, Any]) -> float:
    """An objective between 0 and 1 that depends on optimizer and seed, and on how far `x` and `y` are from .3."""
    text = f"{config['optimizer']['_target_']} {config['seed']}"
    best = {"torch.optim.Adam": 0.5, "torch.optim.AdamW": 0.505, "torch.optim.SGD": 0.1}
    noise = zlib.crc32(text.encode()) / 2**32
    away = sum((float(_fake(config).get(key, 0.3)) - 0.3) ** 2 for key in ("x", "y"))
    return best.get(config["optimizer"]["_target_"], 0.3) + 0.02 * noise - 0.1 * away


def run(
    config: Mapping[str, Any], folder: Path, report: Callable[[dict[str, Any]], None], info: Mapping[str, Any]
) -> float:
    fake, begun = _fake(config), time.time()
    last = folder / "checkpoints" / "last.ckpt"
    first = int(last.read_text()) if last.exists() else 0
    print(f"epochs from {first}", flush=True)
    if fake.get("child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "child.pid").write_text(str(child.pid))
    for epoch in range(first, int(fake.get("epochs", EPOCHS))):
        time.sleep(float(fake.get("epoch_s", EPOCH_S)))
        last.parent.mkdir(exist_ok=True)
        last.write_text(str(epoch + 1))
        with (folder / "history.csv").open("a") as file:
            file.write(f"{epoch}\n")
        epochs = int(fake.get("epochs", EPOCHS))
        value = score(config) - (0.1 * (1 - (epoch + 1) / epochs) if fake.get("rises") else 0.0)
        report({"epoch": epoch + 1, "epochs": epochs, "objective": value, "direction": "max"})
    if fake.get("waits_at") is not None and fake["waits_at"] == fake["x"]:
        _wait_for_others(folder, 3)
    if fake.get("fault") == "hold":
        (folder / "holds").touch()
        ctypes.PyDLL(None).sleep(600)  # unlike CDLL, it keeps Python's lock
    value = _fault(str(fake.get("fault", "none")), info, score(config))
    _write(config, folder, info, value, begun)
    return value


def _wait_for_others(folder: Path, number: int) -> None:
    deadline = time.monotonic() + 120
    while len(list(folder.parent.glob("*/metrics.json"))) < number:
        if time.monotonic() > deadline:
            raise RuntimeError("the others wait for this one")
        time.sleep(0.02)


def _fault(fault: str, info: Mapping[str, Any], value: float) -> float:
    """Go wrong in the given way; `<way>_once` on the first attempt only."""
    if fault.endswith("_once"):
        fault = fault.removesuffix("_once") if info["attempt"] == 1 else "none"
    if fault == "raise":
        raise RuntimeError("a fault on purpose")
    if fault == "exit3":
        sys.exit(3)
    if fault == "exit4":
        os._exit(4)
    if fault == "memory":
        raise MemoryError("no more")
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        time.sleep(600)
    return math.nan if fault == "nan" else value


def _write(
    config: Mapping[str, Any], folder: Path, info: Mapping[str, Any], value: float, begun: float
) -> None:
    metrics = {
        "objective": {"name": "f1_macro", "value": value, "direction": "max"},
        "seed": config["seed"],
        "val": {"f1_macro": value},
        "test": {"f1_macro": value - 0.01, "loss": 1 - value},
        "intervals": {"f1_macro": [value - 0.05, value + 0.05], "val_f1_macro": [value - 0.04, value + 0.04]},
        "baselines": {"majority": {"f1_macro": 0.05}, "prior": {"f1_macro": 0.25}},
        "time": {"fit_s": 0.1, "total_s": time.time() - begun, "epochs": EPOCHS},
        "environment": {"visible_devices": os.environ.get("CUDA_VISIBLE_DEVICES")},
        "begun": begun,
        "ended": time.time(),
        "info": dict(info),
    }
    if not info["test"]:
        del metrics["test"], metrics["intervals"]["f1_macro"]
    (folder / "metrics.json").write_text(json.dumps(metrics))


def _fake(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("fake") or {}
