"""Signals that wait until a piece of work is done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_HELD = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)]
"""Those that a trial is stopped with."""


@contextmanager
def held_back() -> Iterator[None]:
    """Call the handlers of signals that arrive in the block after it.

    They are replaced meanwhile. To mask the signals (`pthread_sigmask`) would not do: another thread would receive
    them, and Python calls the handler in the main thread, whichever received the signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no handler is called in this thread
        return
    holding = True
    received: list[int] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def hold(number: int, frame: FrameType | None) -> None:
        if holding:
            received.append(number)
        else:  # a handler has raised before this one was set again
            handlers[number](number, frame)

    try:
        for number in _HELD:
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, hold)
        yield
    finally:
        holding = False
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in received:
            signal.raise_signal(number)
