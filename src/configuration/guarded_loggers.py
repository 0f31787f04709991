"""Keeps loggers from ending a trial: one that fails is reported once and left out from then on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from lightning.pytorch.loggers import Logger

from src.messages import reason, say

CALLED = ("log_metrics", "log_hyperparams", "log_graph", "save", "finalize", "after_save_checkpoint")
"""The methods of a logger that Lightning calls."""


def guard(logger: Logger) -> None:
    """Let the methods of a logger that Lightning calls report the first error, and do nothing after it."""
    # Shadowed on the object, so that it stays an instance of its class, which Lightning looks at.
    for name in CALLED:
        setattr(logger, name, guarded(logger, getattr(logger, name)))


def guarded(logger: Logger, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that does nothing once the logger has failed, and that reports it if it fails now."""

    @wraps(call)
    def _careful(*arguments: Any, **named: Any) -> Any:
        if has_failed(logger):
            return None
        try:
            return call(*arguments, **named)
        except Exception as error:
            leave_out(logger, error)

    return _careful


def leave_out(logger: Logger, error: Exception) -> None:
    """Mark a logger as failed, and say so."""
    vars(logger)["_has_failed"] = True
    say(f"{type(logger).__name__} failed and is left out from here on; the trial goes on ({reason(error)})")


def has_failed(logger: Logger) -> bool:
    """Whether a logger has failed."""
    return "_has_failed" in vars(logger)
