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
    failed: list[Exception] = []

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            if failed:
                return None
            try:
                return method(*arguments, **named)
            except Exception as error:
                failed.append(error)
                tell(logger, error)

        return call

    # Shadowed on the object, so that it stays an instance of its class, which Lightning looks at.
    for name in CALLED:
        setattr(logger, name, guarded(getattr(logger, name)))


def tell(logger: Logger, error: Exception) -> None:
    """Say that a logger is left out."""
    say(f"{type(logger).__name__} failed and is left out from here on; the trial goes on ({reason(error)})")
