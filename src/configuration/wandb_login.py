"""Decides whether W&B runs are sent to the server or stay on this machine."""

import netrc
import os

from src.errors import UserError


def wandb_mode(mode: str) -> str:
    """Return the mode; `auto` becomes `online` if a login is found (environment or netrc), else `offline`.

    Raises:
        UserError: there is no such mode.
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
