"""The executor for this machine: a process for each trial, in slots over its GPUs or cores."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from src.processes import call, context, cores
from src.sweep.executors.base import Ended, Event, Executor, Lost, Ticket, earlier_threads
from src.sweep.executors.forked import GRACE_S, work_forked
from src.sweep.executors.slots import Slot, cpu_slots, gpu_slots
from src.sweep.executors.watch import FolderWatch
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.state import StopReason

WAIT_S = 0.5
NO_EXIT_CODE = 255
"""The exit code that multiprocessing reports for a process whose fork server has died."""


@dataclass
class _Process:
    ticket: Ticket
    slot: Slot
    process: BaseProcess
    pipe: "Connection[Any, Any]"
    watch: FolderWatch = field(init=False)
    killed_at: float | None = None

    def __post_init__(self) -> None:
        self.watch = FolderWatch(self.ticket)


class LocalExecutor(Executor):
    """Runs each trial in a process forked from a server that has finished the heavy imports.

    Args:
        command: see `Executor`.
        gpus: names for `CUDA_VISIBLE_DEVICES`; `None`: all GPUs of this machine.
        trials_per_gpu: number of trials that share a GPU.
    """

    def __init__(
        self,
        command: Sequence[str],
        gpus: Sequence[int | str] | int | str | None = None,
        trials_per_gpu: int = 1,
    ) -> None:
        super().__init__(command)
        listed = [gpus] if isinstance(gpus, int | str) else gpus
        self._gpus = None if listed is None else [str(gpu) for gpu in listed]
        self._trials_per_gpu = trials_per_gpu
        self._free: list[Slot] = []
        self._processes: dict[Ticket, _Process] = {}
        self._context = context()

    def reserve(self, trials: int, gpus_a_trial: int, gpus: Sequence[str]) -> None:
        """Set up slots over the chosen GPUs, over all GPUs, or over the cores."""
        available = call(cores)
        if self._gpus is not None:
            self._free = gpu_slots(self._gpus, self._trials_per_gpu, max(1, gpus_a_trial), available)
        elif gpus_a_trial and gpus:
            self._free = gpu_slots(gpus, self._trials_per_gpu, gpus_a_trial, available)
        else:
            self._free = cpu_slots(trials, available)

    def has_room(self) -> bool:
        """Whether a slot is free."""
        return bool(self._free)

    def place(self, job: Job, resume: bool) -> Ticket:
        """Start a process in the first free slot."""
        slot = self._free.pop(0)
        environment = slot.environment(earlier_threads(job) if resume else None)
        ours, theirs = self._context.Pipe()
        # The processes of a fork server are typed by the concrete contexts only.
        process = self._context.Process(  # type: ignore[attr-defined]
            target=work_forked, args=(job, self.command(job), environment, theirs)
        )
        process.start()
        theirs.close()
        ticket = Ticket(job.folder, "local", slot.name, process.pid)
        with suppress(OSError):  # a full disk must not leave the process without a sweep that watches it
            ticket.write()
        self._processes[ticket] = _Process(ticket, slot, process, ours)
        return ticket

    def poll(self, tickets: Sequence[Ticket]) -> list[Event]:
        """Wait until a process rings or ends; return the events since the last call."""
        processes = [self._processes[ticket] for ticket in tickets]
        pipes = [running.pipe for running in processes if not running.pipe.closed]
        wait([*pipes, *(running.process.sentinel for running in processes)], timeout=WAIT_S)
        return [event for running in processes for event in self._events(running)]

    def stop(self, ticket: Ticket, reason: StopReason, *, now: bool = False) -> None:
        """Send SIGTERM, and SIGKILL ten seconds later or `now`."""
        TrialFolder(ticket.folder).ask_to_stop(reason)
        running = self._processes[ticket]
        running.killed_at = time.monotonic() + (0 if now else GRACE_S)
        _signal(running.process, signal.SIGKILL if now else signal.SIGTERM)

    def _events(self, running: _Process) -> list[Event]:
        if running.killed_at is not None and time.monotonic() > running.killed_at:
            _signal(running.process, signal.SIGKILL)
        exit_code = running.process.exitcode
        rung = _has_rung(running.pipe)
        if exit_code is None:
            return running.watch.news() if rung else []
        lost = exit_code == NO_EXIT_CODE and not TrialFolder(running.ticket.folder).ended()
        _signal(running.process, signal.SIGKILL)  # what the trial itself had started
        if lost:
            _wait_for_end(running.ticket)
        running.pipe.close()
        del self._processes[running.ticket]
        self._free.append(running.slot)
        end = Lost(running.ticket, "the fork server died") if lost else Ended(running.ticket, exit_code)
        # A process that found its trial being run by another sweep has no news of its own, and never rings.
        return [*(running.watch.news() if rung or running.watch.started else []), end]


def _has_rung(pipe: "Connection[Any, Any]") -> bool:
    """Read all bytes and return whether there was one; close the pipe if the other end is closed."""
    rung = False
    try:
        while not pipe.closed and pipe.poll():
            pipe.recv_bytes()
            rung = True
    except (EOFError, OSError):
        pipe.close()
    return rung


def _signal(process: BaseProcess, number: signal.Signals) -> None:
    """Signal a trial and everything that it started (it is the leader of its own session)."""
    if process.pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
        return
    if process.exitcode is None:  # it has not yet begun its session
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def _wait_for_end(ticket: Ticket) -> None:
    """Wait for a killed process whose parent is gone: it has ended when its lock is free."""
    deadline = time.monotonic() + GRACE_S
    while TrialFolder(ticket.folder).locked() and time.monotonic() < deadline:
        time.sleep(0.01)
