"""A trial that does what `config["does"]` says, for the tests of executors."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

EPOCHS = 2


def run(
    config: Mapping[str, Any], folder: Path, report: Callable[[dict[str, Any]], None], info: Mapping[str, Any]
) -> float:
    last = folder / "checkpoints" / "last.ckpt"
    first = int(last.read_text()) if last.exists() else 0
    print(f"attempt {info['attempt']} from epoch {first}", flush=True)
    if config["does"] == "ignores signals":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if config["does"] == "has a child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "child.pid").write_text(str(child.pid))
    for epoch in range(first + 1, EPOCHS + 1):
        last.parent.mkdir(exist_ok=True)
        last.write_text(str(epoch))
        report({"epoch": epoch, "epochs": EPOCHS, "objective": epoch / 10})
        if config["does"] in ("hangs", "ignores signals"):
            (folder / "hangs").touch()
            time.sleep(600)
    if config["does"] == "raises":
        raise RuntimeError("a fault on purpose")
    if config["does"] == "kills itself":
        os.kill(os.getpid(), signal.SIGKILL)
    return 0.5


def freeze(config: Mapping[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return dict(config)


def roles(config: Mapping[str, Any]) -> dict[str, frozenset[Any]]:
    return {}


def incomparable(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    return []


def gpus() -> list[str]:
    return []


def gpus_needed(config: Mapping[str, Any]) -> int:
    return 0


def jackknife(folders: Sequence[Path], metric: str, blocks: int = 100) -> list[None]:
    return [None] * len(folders)


def prepare(configs: object) -> None:
    """Nothing is shared."""
