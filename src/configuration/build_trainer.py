"""Builds Lightning's Trainer and its callbacks from a frozen configuration."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import lightning
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import Logger

from src.callbacks.music_samples import MusicSamples
from src.configuration.atomic_checkpoints import AtomicCheckpointIO
from src.configuration.local_ddp import listen_locally
from src.configuration.make import make
from src.configuration.targets import find_class


def build_trainer(
    config: Mapping[str, Any], folder: Path, callbacks: list[Callback], loggers: list[Logger]
) -> lightning.Trainer:
    """Return Lightning's Trainer; the configuration's callbacks come before `callbacks`."""
    options = dict(config["trainer"])
    quiet = {"enable_model_summary": False, "num_sanity_val_steps": 0, "use_distributed_sampler": False}
    chosen = build_callbacks(config, folder, logged=bool(loggers))
    listen_locally()
    bar = any(isinstance(callback, ProgressBar) for callback in chosen)
    trainer = make(
        {**quiet, "enable_progress_bar": bar, "log_every_n_steps": 10**9, **options},
        "trainer",
        callbacks=[*chosen, *callbacks],
        logger=loggers or False,
        default_root_dir=folder,
        plugins=[AtomicCheckpointIO()],
    )
    return cast(lightning.Trainer, trainer)


def build_callbacks(config: Mapping[str, Any], folder: Path, *, logged: bool) -> list[Callback]:
    """Return the callbacks of the configuration; they write checkpoints to `checkpoints/`, music to `samples/`.

    A progress bar is left out where there is no terminal or `trainer.enable_progress_bar=false`, a log of learning
    rates where there is no logger.
    """
    built = []
    shown = os.isatty(1) and config["trainer"].get("enable_progress_bar", True)
    for options in config["callbacks"].values():
        chosen = find_class(options["_target_"], "callbacks")
        if issubclass(chosen, ProgressBar) and not shown:
            continue
        if issubclass(chosen, LearningRateMonitor) and not logged:
            continue
        more: dict[str, Any] = {}
        if issubclass(chosen, ModelCheckpoint):
            more = {"dirpath": folder / "checkpoints"}
        elif issubclass(chosen, MusicSamples):
            more = {"folder": folder / "samples", "options": config["generation"]}
        built.append(make(options, "callbacks", **more))
    return built
