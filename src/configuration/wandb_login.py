"""Decides whether W&B runs are sent to the server, stay on this machine, or are left out."""

import netrc
import os
import ssl
import urllib.error
import urllib.request
from functools import cache
from http.client import HTTPException
from threading import Thread

from src.errors import UserError
from src.messages import say

MODES = {"run": "online", "online": "online", "disabled": "disabled"}
"""What values of the environment variable `WANDB_MODE` mean; all others mean `offline`."""

WAIT_S = 3.0
"""Seconds within which the server has to answer."""


def wandb_mode(mode: str) -> str:
    """Return the mode: `online`, `offline` or `disabled`.

    `auto` becomes what `WANDB_MODE` says; without that, `online` if a login is found (environment or netrc), else
    `offline`.

    Raises:
        UserError: there is no such mode.
    """
    if mode in ("online", "offline"):
        return mode
    if mode != "auto":
        raise UserError(f"logger.wandb.mode={mode}: choose auto, online or offline.")
    asked = os.environ.get("WANDB_MODE")
    if asked:
        return MODES.get(asked, "offline")
    if os.environ.get("WANDB_API_KEY"):
        return "online"
    host = server().split("://")[-1].split("/")[0]
    try:
        return "online" if netrc.netrc().authenticators(host) else "offline"
    except (OSError, netrc.NetrcParseError):
        return "offline"


def possible_mode(mode: str) -> str:
    """Return the mode as `wandb_mode` does, but `offline` where the server doesn't answer, and say so.

    Raises:
        UserError: there is no such mode.
    """
    chosen = wandb_mode(mode)
    return "offline" if chosen == "online" and not _can_send(server()) else chosen


def answers(url: str) -> bool:
    """Return whether a server answers within some seconds, the look-up of its name included."""
    found: list[bool] = []
    # The look-up of a name has no timeout of its own.
    asking = Thread(target=lambda: found.append(_responds(url)), daemon=True)
    asking.start()
    asking.join(WAIT_S)
    return found == [True]


def server() -> str:
    """Return the address of W&B's server."""
    return os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"


@cache
def _can_send(address: str) -> bool:
    """Ask once in this process."""
    if answers(address):
        return True
    say(
        f"W&B: {address} does not answer, so runs stay on this machine; "
        "the line `wandb sync …` that is printed at the end sends them later."
    )
    return False


def _responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=WAIT_S):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except urllib.error.URLError as error:
        # Something answered; W&B may know its certificate although Python does not.
        return isinstance(error.reason, ssl.SSLCertVerificationError)
    except (OSError, ValueError, HTTPException):
        return False
