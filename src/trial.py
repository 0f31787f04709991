"""One trial, from configuration to metrics.json."""

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import WandbLogger
from threadpoolctl import threadpool_limits

from src.callbacks.history import History
from src.callbacks.progress import ProgressReport
from src.callbacks.seed_epochs import SeedEpochs
from src.configuration.build import build_data, build_learner
from src.configuration.build_loggers import build_loggers
from src.configuration.build_trainer import build_trainer
from src.configuration.checkpoint_files import read_checkpoint
from src.configuration.checks import freeze
from src.configuration.devices import visible_gpus
from src.datamodules.base import DataModule
from src.datamodules.error_clips import write_error_clips
from src.datamodules.first_batches import overfitted
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.synthesized.base import SynthesizedClips
from src.environment import environment
from src.fingerprint import code_hash, value_hash, write_json
from src.generation.of_trial import music_of_trial
from src.libraries import settle
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.kinds import KINDS, direction
from src.models.generator import Generator
from src.models.learner import Learner
from src.pictures import draw_tables, learning_curves
from src.splitting.splits import SPLITS

__all__ = ["freeze", "gpus", "gpus_needed", "prepare", "run"]

Config = Mapping[str, Any]
Report = Callable[[dict[str, Any]], None]


def gpus() -> list[str]:
    """Names of the GPUs that trials may be placed on."""
    return visible_gpus()


def gpus_needed(config: Config) -> int:
    """How many GPUs a trial occupies; 0 on a CPU."""
    return int(config["trainer"]["devices"]) if config["trainer"]["accelerator"] == "cuda" else 0


def prepare(configs: Sequence[Config]) -> None:
    """Build the data of some trials and measure their baselines, each data set once."""
    done = set()
    for config in configs:
        data = build_data(config)
        asked = value_hash({"data": config["data"], "batch_size": config["batch_size"]})
        if asked not in done:
            done.add(asked)
            data.prepare_data()
            data.setup("fit")
            measured_baselines(data)


def run(config: Config, folder: Path, report: Report, info: Mapping[str, Any]) -> float:
    """Train, then test the best checkpoint; writes `metrics.json` and `samples/`.

    With `overfit_batches` the best checkpoint is the best on those batches; what is tested stays as it is. Goes
    on from `checkpoints/last.ckpt` where the folder holds one.

    Args:
        config: frozen.
        folder: the trial's.
        report: takes `{"epoch", "epochs", "objective"}` after each epoch.
        info: `signature`, `attempt`, `sweep` and `overrides`, for the loggers.

    Returns:
        The objective.

    Raises:
        FloatingPointError: a loss or an output is not finite.
    """
    begun = time.monotonic()
    settle()
    _threads_and_seed(config["seed"])
    with threadpool_limits(torch.get_num_threads(), user_api="blas"):
        return _run(config, folder, report, info, begun)


def _run(config: Config, folder: Path, report: Report, info: Mapping[str, Any], begun: float) -> float:
    data = build_data(config)
    data.prepare_data()
    data.setup("fit")
    learner = build_learner(config, data)
    history = History(folder / "history.csv")
    objective = f"val/{config['objective']}"
    loggers = build_loggers(config, folder, info)
    failed = True
    try:
        callbacks = [SeedEpochs(config["seed"]), history, ProgressReport(report, objective)]
        trainer = build_trainer(config, folder, callbacks, loggers)
        last = folder / "checkpoints" / "last.ckpt"
        with overfitted(data, config["overfit_batches"]):
            trainer.fit(learner, data, ckpt_path=str(last) if last.exists() else None, weights_only=True)
        fit_s = time.monotonic() - begun
        _evaluate_best(trainer, learner, data, folder)
        if trainer.is_global_zero:
            music = _music(config, folder, learner, data)
            times = {"fit_s": round(fit_s, 3), "epochs": len(history.rows)}
            _write(config, folder, learner, data, music, times, begun)
            _draw(config, folder, learner, history)
            _errors(folder / "samples" / "errors", learner, data)
        failed = False
    finally:
        _close(loggers, failed)
    return float(learner.results["val"][config["objective"]])


def measured_baselines(data: DataModule) -> dict[str, Any]:
    """The baselines' metrics on the test part; kept beside the data.

    One thread measures them, so that sums are in one order and figures the same to the last digit everywhere.
    """
    source = Path(__file__).resolve().parent
    path = data.folder / f"baselines-{code_hash([source / 'metrics'], source)}{data.training_variant}.json"
    with suppress(OSError, ValueError):
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    with threadpool_limits(1):
        train, val, test = (Split(*data.arrays(split)) for split in SPLITS)
        splits = BaselineData(train, val, test, data.classes)
        baselines = dict(KINDS[data.target].baselines(splits))
    write_json(path, baselines)
    return baselines


def _threads_and_seed(seed: int) -> None:
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _evaluate_best(trainer: lightning.Trainer, learner: Learner, data: DataModule, folder: Path) -> None:
    best = folder / "checkpoints" / "best.ckpt"
    if best.exists():
        learner.load_state_dict(read_checkpoint(best)["state_dict"])
    learner.with_intervals = True
    trainer.validate(learner, data, verbose=False)
    trainer.test(learner, data, verbose=False)


def _music(config: Config, folder: Path, learner: Learner, data: DataModule) -> dict[str, Any]:
    """What a generator composes, measured; and where its network looks ahead, what it knows without that."""
    if not (isinstance(learner, Generator) and isinstance(data, RollDataModule)):
        return {}
    if not learner.network.causal:
        learner.results["test"] |= learner.future_hidden(data.test_dataloader())
    return music_of_trial(learner, data, config["generation"], config["seed"], folder / "samples")


def _write(
    config: Config,
    folder: Path,
    learner: Learner,
    data: DataModule,
    music: dict[str, Any],
    times: dict[str, Any],
    begun: float,
) -> None:
    objective = config["objective"]
    value = learner.results["val"][objective]
    intervals = dict(learner.intervals["test"])
    if objective in learner.intervals["val"]:
        intervals[f"val_{objective}"] = learner.intervals["val"][objective]
    baselines = measured_baselines(data)
    if music:
        learner.results["test"] |= music["distances"]
        baselines["markov"] |= music["markov_distances"]
    metrics = {
        "objective": {"name": objective, "value": value, "direction": direction(objective)},
        "seed": config["seed"],
        "val": learner.results["val"],
        "test": learner.results["test"],
        "threshold": float(learner.threshold),
        "intervals": intervals,
        "baselines": baselines,
        **({"music": music} if music else {}),
        "data": data.summary(),
        "parameters": sum(p.numel() for p in learner.network.parameters()),
        "time": {**times, "total_s": round(time.monotonic() - begun, 3)},
        "environment": environment(config["trainer"]),
    }
    write_json(folder / "metrics.json", metrics)


def _draw(config: Config, folder: Path, learner: Learner, history: History) -> None:
    samples = folder / "samples"
    samples.mkdir(exist_ok=True)
    objective, curves = f"val/{config['objective']}", samples / "learning_curves.png"
    learning_curves(history.rows, objective, curves, config["overfit_batches"])
    draw_tables(learner.results["test"], samples, learner.intervals["test"])


def _errors(folder: Path, learner: Learner, data: DataModule) -> None:
    """Clips to be heard in which a class is missed, where the data can play them again."""
    if isinstance(data, SynthesizedClips) and learner.tested is not None:
        outputs, targets = learner.tested
        write_error_clips(
            folder, data.write_test_clip, data.classes, outputs, targets, float(learner.threshold)
        )


def _close(loggers: Sequence[Any], failed: bool) -> None:
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            import wandb

            wandb.finish(exit_code=int(failed))
