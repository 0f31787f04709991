"""Child processes that start with the heavy imports already done."""

import ctypes
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, TypeVar, cast

from src.errors import UserError
from src.paths import ROOT

T = TypeVar("T")

WANDB_SERVICE = "POLYSWEEP_WANDB_SERVICE"
"""Environment variable: the fork server, when it starts, starts one service of W&B for all trials."""

PRELOADED = "POLYSWEEP_PRELOADED"
"""Environment variable: the module that the fork server imports when it starts, instead of `src.imports`."""

CORES = "POLYSWEEP_CORES"
"""Environment variable: the number of cores that all trials of a sweep share."""

_PR_SET_PDEATHSIG = 1

TARGETS = "POLYSWEEP_TARGETS"
"""Environment variable: further modules that the fork server imports, separated by commas: those of trusted classes."""

HEAVY = ("src.preload",)
"""Modules that the fork server imports before the first child is forked from it."""


_LONGEST_FOLDER = 75
"""Bytes: a socket's path may have 107, of which multiprocessing appends 32 to the folder for temporary files."""

_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


class KilledError(UserError):
    """The process of a call was ended by a signal."""


def shorten_socket_paths() -> None:
    """Put the sockets of this process and its children elsewhere if `TMPDIR` is too long for the path of a socket.

    Other temporary files stay there.

    Raises:
        UserError: no other folder can be written to.
    """
    usual = tempfile.gettempdir()
    of_process: dict[str, Any] = vars(multiprocessing.current_process())["_config"]
    if of_process.get("tempdir") or len(os.fsencode(usual)) <= _LONGEST_FOLDER:
        return
    for parent in _SHORT_FOLDERS:
        with suppress(OSError):
            folder = tempfile.mkdtemp(prefix="pymp-", dir=parent)
            Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-100)
            of_process["tempdir"] = folder
            return
    raise UserError(
        f"TMPDIR={usual}: the path is too long for sockets; choose one of at most {_LONGEST_FOLDER} bytes."
    )


def context() -> BaseContext:
    """Return the context to start processes with: a fork server with the heavy imports done, or spawn.

    The server only imports: threads and CUDA contexts do not survive a fork, so it must not compute anything. A child
    of the server that asks for a context gets the same server, so that a command pays for the imports once.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    shorten_socket_paths()
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(list(HEAVY))
    _importable_from_anywhere()
    _share_server()
    return forkserver


def _share_server() -> None:
    """Let a child of the fork server ask that server for processes, whose address it has.

    Python means this to be so, but a child does not know the server's process number, and starts another one.
    """
    from multiprocessing import forkserver

    server: Any = getattr(forkserver, "_forkserver", None)
    known = getattr(server, "_forkserver_address", None) is not None
    if known and getattr(server, "_forkserver_pid", None) is None:
        server.ensure_running = lambda: None


def cores() -> int:
    """Return the number of cores this process may use: those of `cores=`, of its affinity, of its container's quota."""
    import joblib  # here, since it imports NumPy; a process without that had better `call(cores)`

    available, chosen = int(joblib.cpu_count()), os.environ.get(CORES)
    return min(int(chosen), available) if chosen else available


def end_with_parent() -> None:
    """Have this process killed when its parent ends, on Linux even if it holds Python's lock."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended in between
        os.kill(os.getpid(), signal.SIGKILL)


def limit_memory(further: int) -> None:
    """Have this process raise MemoryError where it takes more than so many further bytes; on Linux only."""
    if sys.platform != "linux":
        return
    import resource  # here, since Windows has none

    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = taken + further if most == resource.RLIM_INFINITY else min(taken + further, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))


def _importable_from_anywhere() -> None:
    # The fork server inherits the environment, but not sys.path; and it must not import a `src` in the current folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    root = str(ROOT)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, paths)])


def call(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a child process with the heavy imports done, and return its result.

    The calling process stays small, without threads or a CUDA context of the call.

    Raises:
        Exception: the one that the function raised; RuntimeError where the child died without one, KilledError
            where it was killed.
    """
    ours, theirs = context().Pipe()
    # `Process` is declared by the concrete contexts only.
    child = context().Process(target=_answer, args=(theirs, function, arguments))  # type: ignore[attr-defined]
    child.start()
    theirs.close()
    try:
        raised, value = ours.recv()
    except EOFError:
        child.join()
        if child.exitcode is not None and child.exitcode < 0:
            raise KilledError(
                f"the process of {function.__name__} was killed ({signal.Signals(-child.exitcode).name}). If memory "
                "ran out, close other programs; then run the same command again."
            ) from None
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
    end_with_parent()
    threading.Thread(target=_end_with_caller, args=(pipe,), daemon=True).start()
    # A terminal sends Ctrl-C to all processes; this one ends only when the parent calls terminate().
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        pipe.send((False, function(*arguments)))
    except Exception as error:
        pipe.send((True, error))


def _end_with_caller(pipe: "Connection[Any, Any]") -> None:
    """End this process when the one that called it has ended; the parent of both is the fork server, which lives on."""
    with suppress(EOFError, OSError):
        pipe.recv_bytes()  # nothing is ever sent
    os._exit(1)
