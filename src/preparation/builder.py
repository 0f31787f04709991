"""Builds chunks of prepared data in parallel processes."""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch

from src.errors import UserError
from src.preparation.chunks import CHUNK_ITEMS
from src.preparation.progress import Progress
from src.processes import context, cores, end_with_parent

_ITEMS_PER_WORKER = 256  # fewer take less time than starting another process


Make = TypeVar("Make")
MakeIn = TypeVar("MakeIn", contravariant=True)


class Chunks(Protocol[MakeIn]):
    """Files in a folder that are written chunk by chunk, such as `ChunkedArrays`; can be pickled."""

    @property
    def folder(self) -> Path:
        """Where the files lie."""

    def indices(self, chunk: int) -> range:
        """Return the items of a chunk."""

    def write_chunk(self, chunk: int, make: MakeIn, go_on: Callable[[], bool] = ...) -> str | None:
        """Make the items of a chunk and write them.

        Args:
            chunk: its number.
            make: makes an item.
            go_on: asked before each item.

        Returns:
            The chunk's checksum, or `None` if `go_on` returned `False` and nothing was written.
        """


@dataclass(frozen=True)
class Builder(Generic[Make]):
    """Builds chunks on all cores, or with a given number of processes.

    Args:
        make: makes an item.
        workers: number of processes, or `auto`: one per core, at most one per 256 items.
        title: of the progress bar.
    """

    make: Make
    workers: int | str
    title: str

    def __call__(self, files: Chunks[Make], chunks: list[int]) -> Iterator[tuple[int, str]]:
        """Write chunks and yield the number and checksum of each as it is done.

        Raises:
            UserError: a worker raised one or was killed, or the disk is full.
        """
        workers = self._processes(len(chunks))
        done = _in_this_process(self.make, files, chunks)
        if workers > 1:
            done = _in_processes(self.make, files, chunks, workers)
        with Progress(self.title, sum(len(files.indices(chunk)) for chunk in chunks)) as progress:
            for chunk, checksum in done:
                yield chunk, checksum
                progress.advance(len(files.indices(chunk)))

    def _processes(self, n_chunks: int) -> int:
        if isinstance(self.workers, int):
            return min(self.workers, n_chunks)
        return min(cores(), -(-n_chunks * CHUNK_ITEMS // _ITEMS_PER_WORKER))


def _in_this_process(make: Make, files: Chunks[Make], chunks: list[int]) -> Iterator[tuple[int, str]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for chunk in chunks:
            checksum = files.write_chunk(chunk, make)
            assert checksum is not None
            yield chunk, checksum
    except OSError as error:
        raise _disk_error(files, error) from error
    finally:
        torch.set_num_threads(threads)


def _in_processes(
    make: Make, files: Chunks[Make], chunks: list[int], workers: int
) -> Iterator[tuple[int, str]]:
    waiting = list(reversed(chunks))
    processes: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(workers):
            ours, process = _start(make, files)
            processes[ours] = process
            ours.send(waiting.pop())
        busy = set(processes)
        while busy:
            for ready in connection.wait(list(busy)):
                assert isinstance(ready, Connection)
                yield _result(ready, processes[ready])
                if waiting:
                    ready.send(waiting.pop())
                else:
                    busy.remove(ready)
    finally:
        for ours, process in processes.items():
            ours.close()
            process.terminate()
            process.join()


def _start(make: Make, files: Chunks[Make]) -> tuple[Connection, BaseProcess]:
    ours, theirs = context().Pipe()
    process = context().Process(target=_work, args=(theirs, make, files), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    return ours, process


def _result(ours: Connection, process: BaseProcess) -> tuple[int, str]:
    try:
        chunk, checksum, error = ours.recv()
    except (EOFError, ConnectionResetError) as gone:
        process.join()
        raise UserError(
            f"a process that builds data was killed (exit code {process.exitcode}), perhaps for lack of "
            "memory: run the command again with data.workers=1; it continues from there"
        ) from gone
    if error is not None:
        raise error
    return chunk, checksum


def _work(theirs: Connection, make: Make, files: Chunks[Make]) -> None:
    """Make chunks until the parent closes the pipe or dies."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            chunk = theirs.recv()
            theirs.send(_attempt(theirs, make, files, chunk))


def _attempt(
    theirs: Connection, make: Make, files: Chunks[Make], chunk: int
) -> tuple[int, str | None, Exception | None]:
    try:
        checksum = files.write_chunk(chunk, make, go_on=lambda: not theirs.poll())
    except UserError as error:
        return chunk, None, error
    except OSError as error:
        return chunk, None, _disk_error(files, error)
    except Exception:
        return chunk, None, RuntimeError(traceback.format_exc())
    if checksum is None:
        raise EOFError
    return chunk, checksum, None


def _disk_error(files: Chunks[Make], error: OSError) -> UserError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return UserError(f"cannot write to {files.folder}: {reason}; make room there or choose outputs=DIR")
