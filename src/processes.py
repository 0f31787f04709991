"""Child processes that start with the heavy imports already done."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, TypeVar, cast

from src.paths import ROOT

T = TypeVar("T")

WANDB_SERVICE = "POLYSWEEP_WANDB_SERVICE"
"""Environment variable: the fork server, when it starts, starts one service of W&B for all trials."""

HEAVY = ("src.preload",)
"""Modules that the fork server imports before the first child is forked from it."""


def context() -> BaseContext:
    """The way processes are started here: a fork server with the heavy imports loaded, spawn where there is none.

    The server only imports; threads and CUDA do not survive a fork, so nothing is computed before it. A child
    of the server that asks for a context gets the same server, so the imports are paid for once a command.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(list(HEAVY))
    _importable_from_anywhere()
    return forkserver


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _importable_from_anywhere() -> None:
    # The fork server does not inherit sys.path, only the environment; and a `src` in the current folder is not ours.
    os.environ["PYTHONSAFEPATH"] = "1"
    root = str(ROOT)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, paths)])


def call(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a child process that has the heavy imports done, and hand its result back.

    The calling process stays small and keeps no threads or CUDA context of the call.

    Raises:
        The exception that the function raised; RuntimeError where the child died without one.
    """
    ours, theirs = context().Pipe()
    # The processes of a fork server are typed by the concrete contexts only.
    child = context().Process(target=_answer, args=(theirs, function, arguments))  # type: ignore[attr-defined]
    child.start()
    theirs.close()
    try:
        raised, value = ours.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"{function.__name__} died with exit code {child.exitcode}") from None
    except KeyboardInterrupt:
        child.terminate()
        child.join()
        raise
    child.join()
    if raised:
        raise value
    return cast(T, value)


def _answer(pipe: "Connection[Any, Any]", function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # A terminal sends its Ctrl-C to everyone; the parent's terminate() decides here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        pipe.send((False, function(*arguments)))
    except Exception as error:
        pipe.send((True, error))
