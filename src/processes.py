"""Child processes that start with the heavy imports already done."""

import multiprocessing
import os
from multiprocessing.context import BaseContext
from pathlib import Path

HEAVY = ("src.imports",)
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
    # The fork server does not inherit sys.path, only the environment.
    root = str(Path(__file__).resolve().parent.parent)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, paths)])
