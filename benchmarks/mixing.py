"""How fast mixtures are made while a network is trained on them, and that memory does not grow with their number.

    python benchmarks/mixing.py [--mixtures 4096] [--seconds 240] [--json FILE]

The notes are those of data=mixtures, played by its soundfont. Mixtures a second are counted behind the data loader,
with 0, 1 and 2 processes that mix: sounds only, with spectrograms made on the CPU, and on a GPU if there is one. The
combinations take turns within one run, and medians are given. The peak of resident memory is that of a fresh process
that goes through the training batches of one epoch, of 10,000 mixtures and of 250,000, or through as many of these
as it gets done in --seconds; mapped pages of the notes count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.memory import peak_mb  # noqa: E402
from src.configuration.build import make  # noqa: E402
from src.datamodules.notes.mixtures import Mixtures  # noqa: E402

BATCH = 64
WARM_UP = 8  # batches: more than are loaded ahead
TURNS = 3
LOADERS = (0, 1, 2)
FEW, MANY = 10_000, 250_000
MOST_DIFFERENCE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mixtures", type=int, default=4096, help="mixtures that are timed in each turn")
    parser.add_argument(
        "--seconds", type=float, default=240.0, help="most that an epoch may take for its memory"
    )
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--epoch", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.epoch:
        folder, n_mixtures, seconds = arguments.epoch
        print(json.dumps(epoch(Path(folder), int(n_mixtures), float(seconds))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        mixtures(folder, FEW, 0).prepare_data()
        figures = {
            "mixtures_a_second": speeds(folder, arguments.mixtures),
            "memory": {n: in_a_process(folder, n, arguments.seconds) for n in (FEW, MANY)},
        }
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def mixtures(folder: Path, n_mixtures: int, loaders: int) -> Mixtures:
    """Return the configured data module, set up if its notes are built."""
    changes = ["data=mixtures", f"data.n_mixtures.train={n_mixtures}", f"data.loaders={loaders}"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        options: Any = compose("config", changes)["data"]
    data: Mixtures = make(options, "data", cache_dir=folder, batch_size=BATCH, shuffle_seed=1)
    return data


def speeds(folder: Path, count: int) -> dict[str, dict[int, float]]:
    """Return mixtures per second by the place where spectrograms are made and by the number of loaders."""
    devices = {"sounds_only": None, "log_mel_on_cpu": "cpu"}
    if torch.cuda.is_available():
        devices["log_mel_on_gpu"] = "cuda"
    taken: dict[str, dict[int, list[float]]] = {name: {n: [] for n in LOADERS} for name in devices}
    for _ in range(TURNS):
        for name, device in devices.items():
            for loaders in LOADERS:
                taken[name][loaders].append(seconds_of(folder, count, loaders, device))
    return {
        name: {n: count / statistics.median(times) for n, times in of_device.items()}
        for name, of_device in taken.items()
    }


def seconds_of(folder: Path, count: int, loaders: int, device: str | None) -> float:
    """Time `count` mixtures in the training loop, once the loaders are running."""
    data = mixtures(folder, count + WARM_UP * BATCH, loaders)
    features = data.log_mel.to(device) if device else None
    begun = 0.0
    for number, (sounds, _) in enumerate(data.train_dataloader()):
        if number == WARM_UP:
            begun = time.perf_counter()
        if features is not None:
            features(sounds.to(device, non_blocking=True))
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def epoch(folder: Path, n_mixtures: int, most_seconds: float) -> dict[str, float]:
    """Run an epoch in this process; return its peak of memory and the number of mixtures made."""
    done, begun = 0, time.perf_counter()
    for sounds, _ in mixtures(folder, n_mixtures, 0).train_dataloader():
        done += len(sounds)
        if time.perf_counter() - begun > most_seconds:
            break
    return {"peak_mb": peak_mb(), "mixtures": done}


def in_a_process(folder: Path, n_mixtures: int, seconds: float) -> dict[str, float]:
    """Run `epoch` in a fresh process."""
    command = [sys.executable, __file__, "--epoch", str(folder), str(n_mixtures), str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def report(figures: dict[str, Any]) -> None:
    for name, by_loaders in figures["mixtures_a_second"].items():
        told = ", ".join(f"{speed:.0f} with {n} loaders" for n, speed in by_loaders.items())
        print(f"{name}: mixtures a second: {told}")
    few, many = figures["memory"][FEW], figures["memory"][MANY]
    for wanted, measured in ((FEW, few), (MANY, many)):
        made, peak = measured["mixtures"], measured["peak_mb"]
        print(f"an epoch of {wanted:,} mixtures, {made:,.0f} made: {peak:.0f} MB at most")
    grown = many["peak_mb"] / few["peak_mb"] - 1
    print(
        f"  more memory: {grown:.1%} (<= {MOST_DIFFERENCE:.0%}: {'met' if grown <= MOST_DIFFERENCE else 'MISSED'})"
    )


if __name__ == "__main__":
    main()
