"""The queue of a sweep: decides which job is next, how long it may take, and what its end means.

The executor decides where and how a job runs.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from src.sweep.clock import Clock
from src.sweep.executors.base import Ended, Event, Executor, Lost, Progressed, Started, Ticket
from src.sweep.executors.worker import BUSY
from src.sweep.folder import TrialFolder, what_to_do
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.room import FULL, Room
from src.sweep.settings import Settings
from src.sweep.source import Source
from src.sweep.state import State, StopReason
from src.sweep.table import Table

MOST_LOSSES = 2
"""How often a trial begins again whose process was lost."""

MOST_ATTEMPTS = 5
"""How often stopping the trials is tried; those that are left end with the sweep's process."""


@dataclass
class _Placed:
    job: Job
    ticket: Ticket
    attempt: int
    started_at: float | None = None  # by the queue's clock
    stopped: StopReason | None = None


class Queue:
    """Runs jobs on an executor until none is left.

    Args:
        source: of the jobs; it is asked for the next one each time there is room.
        executor: runs them; its slots are reserved.
        ledger: receives a line for each change of state.
        table: shows progress.
        settings: of the sweep.
    """

    def __init__(
        self, source: Source, executor: Executor, ledger: Ledger, table: Table, settings: Settings
    ) -> None:
        self._source = source
        self._waiting: deque[Job] = deque()
        self._placed: dict[Ticket, _Placed] = {}
        self._executor = executor
        self._ledger = ledger
        self._table = table
        self._settings = settings
        self._clock = Clock()
        self._room = Room(settings.outputs, table.say)
        self._losses: Counter[str] = Counter()
        self._waits_for: set[str] = set()
        self._changed: set[str] = set()

    def run(self) -> None:
        """Run all jobs. On KeyboardInterrupt or an error, stop the trials, write their states, and raise it again."""
        try:
            while self._waiting or self._placed or self._source.more():
                self._place_some()
                if self._placed:
                    self._follow()
                    self._check_times()
                elif self._waiting or self._source.more():
                    time.sleep(0.2)  # other sweeps run the remaining trials, or the disk is full
        except BaseException:
            self._interrupt()
            raise

    def _place_some(self) -> None:
        put_off = len(self._waiting)  # each of these is tried once
        while (put_off or self._source.more()) and self._executor.has_room() and self._room.suffices():
            job = self._waiting.popleft() if put_off else self._source.next()
            put_off = max(0, put_off - 1)
            if job is None:
                return
            folder = TrialFolder(job.folder)
            if not folder.lock():
                self._wait_for(job)
                continue
            try:
                begun = self._room.write(partial(self._begin, job, folder))
            finally:
                folder.unlock()
            if begun:
                attempt, resume = begun
                ticket = self._executor.place(job, resume)
                self._placed[ticket] = _Placed(job, ticket, attempt)
                self._table.update(job.signature, slot=ticket.slot)
            else:
                self._source.ended(job)

    def _begin(self, job: Job, folder: TrialFolder) -> tuple[int, bool] | None:
        """Write the files that a job's process needs; return attempt and `resume`, or `None` if it need not run."""
        settings = self._settings
        action, _ = what_to_do(folder, job.code, retry=settings.retry, reuse=settings.reuse, test=job.test)
        if action in ("reuse", "leave"):
            self._note(job, "reused" if action == "reuse" else str(folder.state()))
            return None
        resume = action == "resume"
        attempt = folder.begin(job.config, resume=resume, code=job.code, state=State.QUEUED, test=job.test)
        job.write()
        return attempt, resume

    def _wait_for(self, job: Job) -> None:
        """Put off a job that another sweep runs, and say which, once."""
        self._waiting.append(job)
        self._table.update(job.signature, state="elsewhere")
        if job.signature not in self._waits_for:
            self._waits_for.add(job.signature)
            pid = TrialFolder(job.folder).status().get("pid")
            process = f"process {pid}" if pid else "another process"
            self._table.say(f"{job.name}: {process} runs this trial ({job.folder}); waiting for it")

    def _follow(self) -> None:
        self._clock.tick()
        for event in self._executor.poll(list(self._placed)):
            self._handle(event)
        self._table.refresh()

    def _handle(self, event: Event) -> None:
        placed = self._placed[event.ticket]
        match event:
            case Started():
                placed.started_at = self._clock.now
                self._note(placed.job, State.RUNNING, placed)
            case Progressed(progress=progress):
                shown = {key: progress[key] for key in ("epoch", "epochs", "objective")}
                self._table.update(placed.job.signature, **shown)
                self._source.progressed(placed.job, progress)
            case Ended(exit_code=exit_code):
                del self._placed[event.ticket]
                if self._runs_elsewhere(placed, exit_code):
                    self._waiting.append(placed.job)
                else:
                    self._end(placed, exit_code, "")
                    if not (exit_code == FULL and self._begin_again(placed)):
                        self._source.ended(placed.job)
            case Lost(why=why):
                del self._placed[event.ticket]
                self._end(placed, -signal.SIGKILL, f"lost: {why}")
                if not self._begin_again(placed):
                    self._source.ended(placed.job)

    def _runs_elsewhere(self, placed: _Placed, exit_code: int) -> bool:
        """Whether another sweep has started the trial first."""
        return exit_code == BUSY and (placed.started_at is None or TrialFolder(placed.job.folder).locked())

    def _check_times(self) -> None:
        if self._late():
            self._follow()  # one that has ended in the meantime has not been too slow
            for placed in self._late():
                self._stop(placed, StopReason.TIMEOUT, now=True)

    def _late(self) -> list[_Placed]:
        limit = self._settings.timeout
        running = [each for each in self._placed.values() if each.started_at is not None and not each.stopped]
        return [each for each in running if limit and self._clock.now - (each.started_at or 0.0) > limit]

    def _begin_again(self, placed: _Placed) -> bool:
        """Queue a job again whose process was lost or found the disk full, unless that happens each time."""
        job = placed.job
        self._losses[job.signature] += 1
        state = TrialFolder(job.folder).state()
        again = state is not None and state.resumable and placed.stopped is None
        if not again or self._losses[job.signature] > MOST_LOSSES:
            return False
        self._waiting.appendleft(job)
        self._table.update(job.signature, state=State.QUEUED)
        return True

    def _stop(self, placed: _Placed, reason: StopReason, *, now: bool = False) -> None:
        placed.stopped = reason
        self._executor.stop(placed.ticket, reason, now=now)

    def _end(self, placed: _Placed, exit_code: int, why: str) -> None:
        """Record how a job's process ended: in `status.json`, in the ledger and in the table."""
        folder = TrialFolder(placed.job.folder)
        # Its process had not begun when the sweep was interrupted: it stays `queued`, and the next sweep runs it.
        if placed.stopped is StopReason.INTERRUPTED and placed.started_at is None:
            return
        # A trial normally writes its own end. One that was killed, or whose process crashed, could not.
        if not folder.ended():
            self._room.write(lambda: self._write_end(folder, placed, exit_code, why))
        state = folder.state() or State.KILLED
        self._note(placed.job, state, placed)
        self._tell_changes(folder.status().get("code_changed", []))
        # Say at once why a trial failed. An interruption is reported once, at the end of the sweep.
        if not (state.good or placed.stopped is StopReason.INTERRUPTED):
            self._table.say(f"{placed.job.name}: {state}. {folder.status().get('error') or ''}".strip())
            self._table.say(f"  whole log: {folder.path / 'train.log'}")

    def _tell_changes(self, changed: Sequence[str]) -> None:
        """Say which code has changed since the sweep began, each file once."""
        if news := [name for name in changed if name not in self._changed]:
            self._changed.update(news)
            self._table.say(
                f"{', '.join(news)} changed; all trials of this sweep run the code as it was when it began."
            )

    def _write_end(self, folder: TrialFolder, placed: _Placed, exit_code: int, why: str) -> None:
        """Write to `status.json` how a trial ended that could not write it itself."""
        if placed.stopped:
            state, error = placed.stopped.state, placed.stopped.explanation
            if state is State.TIMEOUT:
                error = f"took longer than timeout={self._settings.timeout} s"
            folder.end(state, state.exit_code, error)
        elif exit_code == FULL:
            folder.end(State.INTERRUPTED, FULL, "the disk is full; the same command continues")
        elif exit_code < 0:
            why = why or f"killed by {_signal_name(-exit_code)}"
            folder.end(State.KILLED, 128 - exit_code, f"{why}\n{folder.log_tail(3)}")
        else:
            error = f"the process exited with {exit_code}\n{folder.log_tail(3)}"
            folder.end(State.FAILED, exit_code or State.FAILED.exit_code, error)

    def _note(self, job: Job, state: str, placed: _Placed | None = None) -> None:
        code = TrialFolder(job.folder).status().get("exit_code")
        self._room.write(
            lambda: self._ledger.write(
                job.signature,
                state,
                overrides=list(job.overrides),
                attempt=placed.attempt if placed else None,
                slot=placed.ticket.slot if placed else None,
                exit_code=None if state == State.RUNNING else code,
            )
        )
        self._table.update(job.signature, state=state)

    def _interrupt(self) -> None:
        """Stop the trials, and wait for them; after another Ctrl-C or an error kill them at once."""
        self._room.wait_no_more()
        now, attempts = False, 0
        while self._placed and attempts < MOST_ATTEMPTS:
            attempts += 1
            try:
                for placed in self._placed.values():
                    if now or placed.stopped is None:
                        self._stop(placed, StopReason.INTERRUPTED, now=now)
                while self._placed:
                    self._follow()
            except (KeyboardInterrupt, Exception):
                now = True


def _signal_name(number: int) -> str:
    """Return the name of a signal; those for programs' own use (35 to 63) have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
