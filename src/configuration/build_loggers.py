"""From a frozen configuration to Lightning's loggers."""

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from lightning.pytorch.loggers import Logger, WandbLogger

from src.configuration.make import make
from src.errors import UserError


def build_loggers(config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]) -> list[Logger]:
    """The loggers of the configuration, writing into the trial's folder.

    A W&B run is named by the trial's overrides, its id is signature and attempt, its group the sweep.
    """
    return [cast(Logger, _logger(options, config, folder, info)) for options in config["logger"].values()]


def _logger(
    options: Mapping[str, Any], config: Mapping[str, Any], folder: Path, info: Mapping[str, Any]
) -> Any:
    if not options["_target_"].endswith(WandbLogger.__name__):
        return make(options, "logger", save_dir=folder, name="", version="")
    settings = {key: value for key, value in options.items() if key != "mode"}
    overrides = list(info["overrides"])
    return make(
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


def _wandb_settings() -> Any:
    import wandb

    return wandb.Settings(console="off", silent=True, x_disable_stats=True, x_save_requirements=False)


def wandb_mode(mode: str) -> str:
    """Turn `auto` into `online` where a login is found (environment or netrc), else `offline`.

    Raises:
        UserError: another word.
    """
    if mode in ("online", "offline"):
        return mode
    if mode != "auto":
        raise UserError(f"logger.wandb.mode={mode}: choose auto, online or offline.")
    asked = os.environ.get("WANDB_MODE")
    if asked:
        return "online" if asked == "online" else "offline"
    if os.environ.get("WANDB_API_KEY"):
        return "online"
    host = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").split("://")[-1].split("/")[0]
    try:
        return "online" if netrc.netrc().authenticators(host) else "offline"
    except (OSError, netrc.NetrcParseError):
        return "offline"
