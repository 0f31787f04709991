"""What the queue makes of an executor's events; no process is started."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from src.sweep.executors.base import Ended, Event, Executor, Lost, Progressed, Started, Ticket
from src.sweep.executors.worker import BUSY
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.queue import Queue
from src.sweep.settings import Settings
from src.sweep.state import State, StopReason
from src.sweep.table import Table

Step = Callable[[Ticket], list[Event]]


class Scripted(Executor):
    """Each call of `poll` does the next step of a script, for the one job that is placed."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(("run.py",))
        self.steps = list(steps)
        self.placed: list[tuple[str, bool]] = []
        self.stopped: list[tuple[StopReason, bool]] = []
        self._full = False

    def reserve(self, trials: int, gpus_a_trial: int, gpus: Sequence[str]) -> None:
        raise AssertionError("laying out places is not the queue's")

    def has_room(self) -> bool:
        return not self._full

    def place(self, job: Job, resume: bool) -> Ticket:
        self.placed.append((job.signature, resume))
        self._full = True
        return Ticket(job.folder, "scripted", "there", len(self.placed))

    def poll(self, tickets: Sequence[Ticket]) -> list[Event]:
        [ticket] = tickets
        events = self.steps.pop(0)(ticket)
        self._full = not any(isinstance(event, Ended | Lost) for event in events)
        return events

    def stop(self, ticket: Ticket, reason: StopReason, *, now: bool = False) -> None:
        self.stopped.append((reason, now))


def starts(ticket: Ticket) -> list[Event]:
    TrialFolder(ticket.folder).update(state=State.RUNNING)
    return [Started(ticket)]


def progresses(ticket: Ticket) -> list[Event]:
    return [Progressed(ticket, {"epoch": 1, "epochs": 2, "time_s": 0.1, "objective": 0.25})]


def finishes(ticket: Ticket) -> list[Event]:
    TrialFolder(ticket.folder).end(State.FINISHED, 0)
    return [Ended(ticket, 0)]


def ends(exit_code: int) -> Step:
    return lambda ticket: [Ended(ticket, exit_code)]


def is_lost(ticket: Ticket) -> list[Event]:
    return [Lost(ticket, "the node died")]


def is_quiet(ticket: Ticket) -> list[Event]:
    return []


def ctrl_c(ticket: Ticket) -> list[Event]:
    raise KeyboardInterrupt


class Sweep:
    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.ledger = Ledger(outputs / "jobs.jsonl")
        self.printed = io.StringIO()

    def run(self, *steps: Step, names: Sequence[str] = ("one",), **settings: Any) -> Scripted:
        jobs = [Job(name, {}, (f"name={name}",), self.outputs, "a.trial", "c0de") for name in names]
        self.executor = Scripted(steps)
        table = Table(jobs, Console(file=self.printed, width=200))
        Queue(jobs, self.executor, self.ledger, table, Settings(self.outputs, "a.trial", **settings)).run()
        assert self.executor.steps == [], "the script is not over"
        return self.executor

    def folder(self, name: str = "one") -> TrialFolder:
        return TrialFolder(self.outputs / "runs" / name)

    def lines(self) -> list[tuple[str, int | None, int | None]]:
        return [(line["state"], line["attempt"], line["exit_code"]) for line in self.ledger.lines()]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


def test_jobs_run_in_order(sweep: Sweep) -> None:
    executor = sweep.run(starts, progresses, finishes, starts, finishes, names=("one", "two"))
    assert executor.placed == [("one", False), ("two", False)]
    assert sweep.lines() == [("running", 1, None), ("finished", 1, 0)] * 2
    assert {line["slot"] for line in sweep.ledger.lines()} == {"there"}


def test_the_folder_is_complete_before_a_job_is_placed(sweep: Sweep) -> None:
    def looks(ticket: Ticket) -> list[Event]:
        assert {"config.yaml", "job.json", "status.json"} <= {path.name for path in ticket.folder.iterdir()}
        assert TrialFolder(ticket.folder).state() == State.QUEUED
        assert TrialFolder(ticket.folder).lock(), "the queue keeps the lock from the job"
        return []

    sweep.run(looks, starts, finishes)


@pytest.mark.parametrize(
    ("step", "state", "exit_code", "error"),
    [
        (ends(-9), "killed", 137, "killed by SIGKILL"),
        (is_lost, "killed", 137, "lost: the node died"),
        (ends(4), "failed", 4, "exited with 4"),
        (ends(0), "failed", 1, "exited with 0"),
    ],
)
def test_the_end_of_a_trial_that_could_not_say_how(
    sweep: Sweep, step: Step, state: str, exit_code: int, error: str
) -> None:
    sweep.run(starts, step)
    assert sweep.lines()[-1] == (state, 1, exit_code)
    assert error in sweep.folder().status()["error"]
    assert error in sweep.printed.getvalue()


def test_a_job_that_never_started_failed(sweep: Sweep) -> None:
    sweep.run(ends(1))
    assert sweep.lines() == [("failed", 1, 1)]


def test_a_trial_that_was_lost_after_its_end_has_finished(sweep: Sweep) -> None:
    def is_lost_late(ticket: Ticket) -> list[Event]:
        TrialFolder(ticket.folder).end(State.FINISHED, 0)
        return is_lost(ticket)

    sweep.run(starts, is_lost_late)
    assert sweep.lines()[-1] == ("finished", 1, 0)


def test_a_trial_that_takes_too_long_is_killed_now(sweep: Sweep) -> None:
    executor = sweep.run(starts, is_quiet, ends(-9), timeout=1e-9)
    assert executor.stopped == [(StopReason.TIMEOUT, True)]
    assert sweep.lines()[-1] == ("timeout", 1, 124)
    assert sweep.folder().status()["error"] == "took longer than timeout=1e-09 s"


def test_time_in_the_queue_of_a_cluster_does_not_count(sweep: Sweep) -> None:
    executor = sweep.run(is_quiet, is_quiet, ends(1), timeout=1e-9)
    assert executor.stopped == []


def test_what_another_sweep_runs_is_waited_for(sweep: Sweep) -> None:
    def is_run_elsewhere(ticket: Ticket) -> list[Event]:
        TrialFolder(ticket.folder).end(State.FINISHED, 0)
        return [Ended(ticket, BUSY)]

    executor = sweep.run(is_run_elsewhere)
    assert executor.placed == [("one", False)]
    assert sweep.lines() == [("reused", None, 0)]


def test_a_trial_that_exits_like_a_busy_one_has_failed(sweep: Sweep) -> None:
    sweep.run(starts, ends(BUSY))
    assert sweep.lines()[-1] == ("failed", 1, BUSY)


def test_ctrl_c_stops_and_marks(sweep: Sweep) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(starts, ctrl_c, is_quiet, ends(-15), names=("one", "two"))
    assert sweep.executor.stopped == [(StopReason.INTERRUPTED, False)]
    assert sweep.lines()[-1] == ("interrupted", 1, 130)
    assert sweep.folder().status()["error"] == "the sweep was interrupted"
    assert sweep.folder("two").state() is None, "nothing new starts"


def test_ctrl_c_again_kills(sweep: Sweep) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(starts, ctrl_c, ctrl_c, ends(-9))
    assert sweep.executor.stopped == [(StopReason.INTERRUPTED, False), (StopReason.INTERRUPTED, True)]
    assert sweep.folder().status()["state"] == State.INTERRUPTED


def test_what_had_not_begun_stays_queued(sweep: Sweep) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(ctrl_c, ends(-15))
    assert not (sweep.outputs / "jobs.jsonl").exists()
    assert sweep.folder().state() == State.QUEUED


@pytest.mark.parametrize("checkpoint", [True, False])
def test_it_goes_on_where_there_is_a_checkpoint(sweep: Sweep, checkpoint: bool) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep.run(starts, ctrl_c, ends(-15))
    if checkpoint:
        (sweep.folder().path / "checkpoints").mkdir()
        (sweep.folder().path / "checkpoints" / "last.ckpt").touch()
    assert sweep.run(starts, finishes).placed == [("one", checkpoint)]
    assert sweep.lines()[-1] == ("finished", 2, 0)


def test_failures_are_left_without_retry(sweep: Sweep) -> None:
    sweep.run(starts, ends(1))
    assert sweep.run().placed == []
    assert sweep.lines()[-1] == ("failed", None, 1)
    assert sweep.run(starts, finishes, retry=True).placed == [("one", False)]
