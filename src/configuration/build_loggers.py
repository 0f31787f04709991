"""Builds Lightning's loggers from a frozen configuration."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from src.configuration.guarded_loggers import guard, guarded, has_failed, leave_out
from src.configuration.make import make
from src.configuration.targets import find_class
from src.configuration.wandb_login import possible_mode, wandb_mode
from src.messages import reason, say

SETTINGS = {
    "console": "off",
    "silent": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
    "init_timeout": 30.0,
    "finish_timeout": 60.0,
}
"""For W&B: it draws no resources of the machine, and where the network is lost a trial waits no longer than this."""


def settle_loggers(loggers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the options of loggers with the mode of W&B decided: `online` or `offline`; left out where disabled.

    Raises:
        UserError: there is no such mode.
    """
    settled = {name: dict(options) for name, options in loggers.items()}
    for name, options in loggers.items():
        if _is_wandb(options):
            mode = possible_mode(str(options.get("mode", "auto")))
            settled[name]["mode"] = mode
            if mode == "disabled":
                del settled[name]
    return settled


def build_loggers(config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]) -> list[Logger]:
    """Return the loggers of the configuration, begun; they write into the trial's folder.

    A logger that can't begin is left out, and one that fails later does nothing from then on; both are said in a line.
    A W&B run is named after the trial's overrides; its id is signature and attempt, its group the sweep.
    """
    built = [_begun(options, config, folder, info) for options in config["logger"].values()]
    return [logger for logger in built if logger is not None]


def log_objective(loggers: Iterable[Logger], config: Mapping[str, Any], objective: float) -> None:
    """Log the objective to TensorBoard as `hp_metric`, with the configuration; its tab HParams ranks trials by it."""
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(dict(config), {"hp_metric": objective})
            logger.finalize("success")  # written to the file: Lightning has closed the logger already


def close_loggers(loggers: Iterable[Logger], *, failed: bool) -> None:
    """End a trial's W&B run and mark it as failed if the trial failed; Lightning closes the other loggers."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            import wandb

            if has_failed(logger):  # which has been said; what W&B has is still sent
                with suppress(Exception):
                    wandb.finish(exit_code=int(failed))
            else:
                guarded(logger, wandb.finish)(exit_code=int(failed))
            if has_failed(logger):
                _forget_service()


def _begun(
    options: Mapping[str, Any], config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]
) -> Logger | None:
    if _is_wandb(options):
        return _begun_wandb(options, config, folder, info)
    logger = cast(Logger, make(options, "logger", save_dir=folder, name="", version=""))
    try:
        _begin(logger)
    except Exception as error:
        leave_out(logger, error)
        return None
    return logger


def _begin(logger: Logger) -> None:
    """Create what the logger writes with, which Lightning would do later, and guard the logger."""
    getattr(logger, "experiment", None)
    guard(logger)


def _begun_wandb(
    options: Mapping[str, Any], config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]
) -> Logger | None:
    """Begin a run of W&B: as is asked for, or else with a service process of its own, or else offline."""
    import wandb

    offline = wandb_mode(str(options.get("mode", "auto"))) != "online"
    while True:
        logger = _wandb(options, config, folder, info, offline=offline)
        shared = "WANDB_SERVICE" in os.environ
        try:
            _begin(logger)
        except Exception as error:
            if shared and not isinstance(error, wandb.Error):
                pass
            elif not offline:
                offline = True
                say(f"W&B: this run stays on this machine ({reason(error)})")
            else:
                leave_out(logger, error)
                return None
            _forget_service()
        else:
            return logger


def _wandb(
    options: Mapping[str, Any],
    config: Mapping[str, Any],
    folder: Path,
    info: Mapping[str, Any],
    *,
    offline: bool,
) -> WandbLogger:
    overrides = list(info["overrides"])
    logger = make(
        {key: value for key, value in options.items() if key != "mode"},
        "logger",
        save_dir=folder,
        offline=offline,
        id=f"{info['signature']}-{info['attempt']}",
        name=" ".join(overrides) or "defaults",
        group=info["sweep"] or None,
        tags=[text[:64] for text in overrides],
        config=dict(config),
        settings=_wandb_settings(),
    )
    # Lightning passes this setting on even where nobody has chosen it, and W&B warns that it has no effect.
    logger._wandb_init.pop("anonymous", None)
    return cast(WandbLogger, logger)


def _is_wandb(options: Mapping[str, Any]) -> bool:
    return issubclass(find_class(options.get("_target_"), "logger"), WandbLogger)


def _wandb_settings() -> Any:
    import wandb

    known = (
        wandb.Settings.model_fields
    )  # `finish_timeout` is newer than the oldest version that may be installed
    return wandb.Settings(**{name: value for name, value in SETTINGS.items() if name in known})


def _forget_service() -> None:
    """Leave W&B's run and its service process, which may have died, so that the next run starts another."""
    import wandb

    with suppress(Exception, SystemExit):
        wandb.teardown()
    wandb.run = None
    os.environ.pop("WANDB_SERVICE", None)
