"""A queue of trials, a process each, in slots."""

import os
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from src.processes import context
from src.sweep.folder import EXIT_CODES, INTERRUPTED_EXIT, TrialFolder, what_to_do
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.slots import Slot
from src.sweep.table import Table
from src.sweep.worker import BUSY, GRACE_S, Place, work


@dataclass
class _Running:
    job: Job
    slot: Slot
    process: BaseProcess
    pipe: "Connection[Any, Any]"
    since: float
    attempt: int | None = None
    timed_out: bool = False


@dataclass
class Options:
    """How the pool decides.

    Args:
        retry: run failed trials again.
        reuse: `same_code` or `any`.
        timeout: seconds a trial may take, None for no bound.
        command: what starts one trial by itself, to which its folder is appended.
    """

    retry: bool = False
    reuse: str = "same_code"
    timeout: float | None = None
    command: tuple[str, ...] = field(default=())


class Pool:
    """Runs jobs side by side until none is left.

    Args:
        jobs: in the order they start.
        slots: places; a free slot takes the next job.
        ledger: gets a line at each change of state.
        table: shows progress.
        options: see `Options`.
    """

    def __init__(
        self, jobs: list[Job], slots: list[Slot], ledger: Ledger, table: Table, options: Options
    ) -> None:
        self._queue = deque(jobs)
        self._free = list(slots)
        self._running: list[_Running] = []
        self._ledger = ledger
        self._table = table
        self._options = options
        self._context = context()

    def run(self) -> None:
        """Run everything. On KeyboardInterrupt the trials are stopped and marked before it is raised on."""
        try:
            while self._queue or self._running:
                self._fill_slots()
                self._listen()
                self._collect()
        except KeyboardInterrupt:
            self._interrupt()
            raise

    def _fill_slots(self) -> None:
        for _ in range(len(self._queue)):
            if not self._free:
                return
            job = self._queue.popleft()
            folder = TrialFolder(job.folder)
            if folder.locked():
                self._table.update(job.signature, state="elsewhere")
                self._queue.append(job)
                continue
            action, _ = what_to_do(folder, job.code, retry=self._options.retry, reuse=self._options.reuse)
            if action == "reuse":
                self._note(job, "reused")
            elif action == "leave" and not self._options.retry:
                self._note(job, str(folder.state()))
            else:
                self._start(job, resume=action == "resume")

    def _start(self, job: Job, *, resume: bool) -> None:
        slot = self._free.pop(0)
        place = Place(slot.name, self._environment(job, slot, resume), resume, self._command(job))
        ours, theirs = self._context.Pipe()
        # The processes of a fork server are typed by the concrete contexts only.
        process = self._context.Process(target=work, args=(job, place, theirs))  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        self._running.append(_Running(job, slot, process, ours, time.monotonic()))
        self._table.update(job.signature, state="running", slot=slot.name)

    def _environment(self, job: Job, slot: Slot, resume: bool) -> dict[str, str]:
        """A trial goes on with the threads it began with: sums in another order would change its figures."""
        begun = TrialFolder(job.folder).status().get("environment", {}) if resume else {}
        threads = begun.get("OMP_NUM_THREADS")
        return slot.environment(int(threads) if threads else None)

    def _command(self, job: Job) -> tuple[str, ...]:
        return (*self._options.command, str(job.folder.resolve()))

    def _listen(self) -> None:
        pipes = [running.pipe for running in self._running if not running.pipe.closed]
        sentinels = [running.process.sentinel for running in self._running]
        if not sentinels:
            time.sleep(0.2 if self._queue else 0)
            return
        wait([*pipes, *sentinels], timeout=0.5)
        for running in self._running:
            self._read(running)
        self._table.refresh()

    def _read(self, running: _Running) -> None:
        with suppress(EOFError, OSError):
            while not running.pipe.closed and running.pipe.poll():
                message = running.pipe.recv()
                if "attempt" in message:
                    running.attempt = message["attempt"]
                    self._note(running.job, "running", running)
                else:
                    self._table.update(running.job.signature, **message)
            return
        running.pipe.close()

    def _collect(self) -> None:
        for running in list(self._running):
            self._check_time(running)
            if running.process.exitcode is None:
                continue
            self._read(running)
            self._running.remove(running)
            self._free.append(running.slot)
            running.pipe.close()
            if running.process.exitcode == BUSY and running.attempt is None:
                self._queue.append(running.job)
            else:
                self._finish(running, running.process.exitcode)

    def _check_time(self, running: _Running) -> None:
        limit = self._options.timeout
        if limit is not None and time.monotonic() - running.since > limit and not running.timed_out:
            running.timed_out = True
            _signal(running.process, signal.SIGKILL)

    def _finish(self, running: _Running, code: int) -> None:
        folder = TrialFolder(running.job.folder)
        _signal(running.process, signal.SIGKILL)  # what the trial itself had started
        if running.timed_out:
            folder.end(
                "timeout", EXIT_CODES["timeout"], f"took longer than timeout={self._options.timeout} s"
            )
        elif code < 0:
            error = f"killed by {signal.Signals(-code).name}\n{folder.log_tail(3)}"
            folder.end("killed", 128 - code, error)
        elif running.attempt is None or folder.status().get("state") == "running":
            folder.end("failed", code or 1, f"the process exited with {code}\n{folder.log_tail(3)}")
        state = str(folder.status()["state"])
        self._note(running.job, state, running)
        if state != "finished":
            self._table.say(f"{running.job.name}: {state}. {folder.status().get('error') or ''}".strip())
            self._table.say(f"  whole log: {folder.path / 'train.log'}")

    def _note(self, job: Job, state: str, running: _Running | None = None) -> None:
        code = TrialFolder(job.folder).status().get("exit_code")
        self._ledger.write(
            job.signature,
            state,
            overrides=list(job.overrides),
            attempt=running.attempt if running else None,
            slot=running.slot.name if running else None,
            exit_code=code if state not in ("running", "queued") else None,
        )
        self._table.update(job.signature, state=state)

    def _interrupt(self) -> None:
        """Stop the trials: politely, then not."""
        for running in self._running:
            _signal(running.process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        with suppress(KeyboardInterrupt):
            for running in self._running:
                running.process.join(max(0.0, deadline - time.monotonic()))
        for running in self._running:
            _signal(running.process, signal.SIGKILL)
            running.process.join(GRACE_S)
            self._read(running)
            if running.attempt is not None:
                self._mark_interrupted(running)
        self._running = []

    def _mark_interrupted(self, running: _Running) -> None:
        folder = TrialFolder(running.job.folder)
        if folder.status().get("state") != "finished":
            folder.end("interrupted", INTERRUPTED_EXIT, "the sweep was interrupted")
        self._note(running.job, str(folder.status()["state"]), running)


def _signal(process: BaseProcess, number: signal.Signals) -> None:
    """Signal a trial and everything that it started (it leads a session of its own)."""
    if process.pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
    if process.exitcode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)
