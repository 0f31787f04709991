"""Samples a second of a whole trial's training loop against a bare PyTorch loop over tensors in memory.

    python benchmarks/training_loop.py [--clips 3200] [--repeats 5] [--json FILE]

Same network, batch, precision, optimizer and number of threads; Lightning's loop reads the memory-mapped data and
runs this project's callbacks. The two take turns, epoch by epoch, in one process; the medians are compared.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch.callbacks import Callback
from omegaconf import OmegaConf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from src.callbacks.history import History  # noqa: E402
from src.callbacks.progress import ProgressReport  # noqa: E402
from src.callbacks.seed_epochs import SeedEpochs  # noqa: E402
from src.configuration.build import build_data, build_learner  # noqa: E402
from src.configuration.build_trainer import build_trainer  # noqa: E402
from src.configuration.checks import freeze  # noqa: E402


class Stopwatch(Callback):
    """Times epochs from the start of the first batch to the end of the last, and a bare epoch after each."""

    def __init__(self, bare: "BareLoop") -> None:
        self.bare = bare
        self.lightning_s: list[float] = []
        self.bare_s: list[float] = []

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Start the clock."""
        self._begun = time.perf_counter()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Stop the clock, and train an epoch with the bare loop."""
        self.lightning_s.append(time.perf_counter() - self._begun)
        with torch.inference_mode(False), torch.enable_grad():
            self.bare_s.append(self.bare.epoch())


class BareLoop:
    """The plainest loop: tensors in memory, no framework."""

    def __init__(self, config: dict[str, Any], data: Any) -> None:
        self.model = build_learner(config, data)
        self.optimizer = self.model._make_optimizer(list(self.model.parameters()))
        features, targets = data.arrays("train")
        self.x = torch.from_numpy(features[:].copy())
        self.y = torch.from_numpy(targets[:].copy())
        self.batch_size = config["batch_size"]
        self.dtype = torch.bfloat16 if config["trainer"]["precision"] == "bf16-mixed" else None

    def epoch(self) -> float:
        """Train once over all batches and return the seconds."""
        begun = time.perf_counter()
        self.model.train()
        order = torch.randperm(len(self.x))
        for start in range(0, len(order) - self.batch_size + 1, self.batch_size):
            chosen = order[start : start + self.batch_size]
            with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype is not None):
                loss = self.model.loss(self.model(self.x[chosen]), self.y[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return time.perf_counter() - begun


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        changes = [
            f"data.n_clips={{train: {options.clips}, val: 64, test: 64}}",
            f"trainer.max_epochs={options.repeats + 1}",
            "trainer.accelerator=cpu",
            "scheduler=none",
            "logger=[csv]",
            f"outputs={folder}",
        ]
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            config = freeze(OmegaConf.to_container(compose("config", changes), resolve=True))  # type: ignore[arg-type]
        data = build_data(config)
        data.prepare_data()
        data.setup("fit")
        watch = Stopwatch(BareLoop(config, data))
        own = [
            SeedEpochs(1),
            History(Path(folder) / "history.csv"),
            ProgressReport(lambda _: None, "val/f1_macro"),
            watch,
        ]
        trainer = build_trainer(config, Path(folder), own, [])
        trainer.fit(build_learner(config, data), data)
    samples = options.clips // config["batch_size"] * config["batch_size"]
    ours = samples / statistics.median(watch.lightning_s[1:])
    bare = samples / statistics.median(watch.bare_s[1:])
    figures = {"samples_a_second": round(ours), "bare_loop": round(bare), "ratio": round(ours / bare, 3)}
    for name, value in figures.items():
        print(f"{name:18} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
