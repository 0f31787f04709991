"""Builds Lightning's loggers from a frozen configuration."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from lightning.pytorch.loggers import Logger, WandbLogger

from src.configuration.make import make
from src.configuration.targets import find_class
from src.configuration.wandb_login import wandb_mode


def build_loggers(config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]) -> list[Logger]:
    """Return the loggers of the configuration; they write into the trial's folder.

    A W&B run is named after the trial's overrides; its id is signature and attempt, its group the sweep.
    """
    return [cast(Logger, _logger(options, config, folder, info)) for options in config["logger"].values()]


def _logger(
    options: Mapping[str, Any], config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]
) -> Any:
    if not issubclass(find_class(options["_target_"], "logger"), WandbLogger):
        return make(options, "logger", save_dir=folder, name="", version="")
    settings = {key: value for key, value in options.items() if key != "mode"}
    overrides = list(info["overrides"])
    logger = make(
        settings,
        "logger",
        save_dir=folder,
        offline=wandb_mode(str(options.get("mode", "auto"))) == "offline",
        id=f"{info['signature']}-{info['attempt']}",
        name=" ".join(overrides) or "defaults",
        group=info["sweep"] or None,
        tags=[text[:64] for text in overrides],
        config=dict(config),
        settings=_wandb_settings(),
    )
    # Lightning passes this setting on even where nobody has chosen it, and W&B warns that it has no effect.
    logger._wandb_init.pop("anonymous", None)
    return logger


def _wandb_settings() -> Any:
    import wandb

    return wandb.Settings(console="off", silent=True, x_disable_stats=True, x_save_requirements=False)


def close_loggers(loggers: Iterable[Logger], *, failed: bool) -> None:
    """End a trial's W&B run and mark it as failed if the trial failed; Lightning closes the other loggers."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            import wandb

            wandb.finish(exit_code=int(failed))
