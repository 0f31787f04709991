"""A child process that is kept for several calls, so that what it found out for one serves the next."""

import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from os import _exit
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from src.processes import KilledError, context, end_with_parent

T = TypeVar("T")


class KeptProcess(Generic[T]):
    """Answers calls one after another in one child process with the heavy imports done.

    The child starts with the first call, and ends with this object or this process. In the place of one that has ended
    meanwhile, the next call starts another. See `src.processes.call` for single calls.

    Args:
        make: is called once in the child, and returns the function that answers.
        arguments: of `make`.
    """

    def __init__(self, make: Callable[..., Callable[..., T]], *arguments: Any) -> None:
        self._make = make
        self._arguments = arguments
        self._child: Any = None
        self._pipe: Connection[Any, Any] | None = None
        self._close: Finalize | None = None

    def __call__(self, *arguments: Any) -> T:
        """Call the function in the child, and return its result.

        Raises:
            Exception: the one that the function raised; RuntimeError where the child died without one, KilledError
                where it was killed.
        """
        if self._child is None or not self._child.is_alive():
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(arguments)
            raised, value = self._pipe.recv()
        except (EOFError, OSError):
            raise self._death() from None
        except KeyboardInterrupt:
            self._child.terminate()
            self.close()
            raise
        if raised:
            raise value
        return cast(T, value)

    def close(self) -> None:
        """End the child, if there is one."""
        if self._close is not None:
            self._close()
        self._child = self._pipe = self._close = None

    def _start(self) -> None:
        self.close()
        self._pipe, theirs = context().Pipe()
        # `Process` is declared by the concrete contexts only.
        self._child = context().Process(target=_answer, args=(theirs, self._make, self._arguments))  # type: ignore[attr-defined]
        self._child.start()
        theirs.close()
        # A priority has it called before multiprocessing waits for all children when this process ends.
        self._close = Finalize(self, _end, args=(self._pipe, self._child), exitpriority=10)

    def _death(self) -> Exception:
        """Return what to say of a child that died in a call."""
        child = self._child
        child.join()
        self.close()
        name = self._make.__name__
        if child.exitcode is not None and child.exitcode < 0:
            return KilledError(
                f"the process of {name} was killed ({signal.Signals(-child.exitcode).name}). If memory ran out, close "
                "other programs; then run the same command again."
            )
        return RuntimeError(f"{name} died with exit code {child.exitcode}")


def _end(pipe: "Connection[Any, Any]", child: Any) -> None:
    pipe.close()  # which the child takes as a sign to end
    child.join()


def _answer(
    pipe: "Connection[Any, Any]", make: Callable[..., Callable[..., Any]], own: tuple[Any, ...]
) -> None:
    end_with_parent()
    calls: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    # A terminal sends Ctrl-C to all processes; this one ends only when the parent has it end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    function: Callable[..., Any] | None = None
    while True:
        arguments = calls.get()
        try:
            function = function or make(*own)
            pipe.send((False, function(*arguments)))
        except Exception as error:
            pipe.send((True, error))


def _listen(pipe: "Connection[Any, Any]", calls: "SimpleQueue[tuple[Any, ...]]") -> None:
    """Queue calls; end this process when the one that calls has ended, also while it works."""
    try:
        while True:
            calls.put(pipe.recv())
    except (EOFError, OSError):
        _exit(1)
