"""What the queue makes of an executor's events; no process is started."""

import errno
import io
import itertools
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from src.sweep.executors.base import Ended, Event, Executor, Lost, Progressed, Started, Ticket
from src.sweep.executors.worker import BUSY
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.queue import MOST_ATTEMPTS, MOST_LOSSES, Queue
from src.sweep.room import FULL
from src.sweep.settings import Settings
from src.sweep.source import Listed
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
        queued = Settings(self.outputs, "a.trial", **settings)
        Queue(Listed(jobs), self.executor, self.ledger, table, queued).run()
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
        (ends(-40), "killed", 168, "killed by signal 40"),
        (ends(FULL), "interrupted", FULL, "the disk is full"),
        (ends(4), "failed", 4, "exited with 4"),
        (ends(0), "failed", 1, "exited with 0"),
    ],
)
def test_the_end_of_a_trial_that_could_not_say_how(
    sweep: Sweep, step: Step, state: str, exit_code: int, error: str
) -> None:
    again = MOST_LOSSES if state == "interrupted" else 0
    sweep.run(*[starts, step] * (1 + again))
    assert sweep.lines()[-1] == (state, 1 + again, exit_code)
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


def test_a_lost_trial_goes_on_in_the_same_sweep(sweep: Sweep) -> None:
    def is_lost_with_a_checkpoint(ticket: Ticket) -> list[Event]:
        (ticket.folder / "checkpoints").mkdir()
        (ticket.folder / "checkpoints" / "last.ckpt").touch()
        return is_lost(ticket)

    executor = sweep.run(starts, is_lost_with_a_checkpoint, starts, finishes)
    assert executor.placed == [("one", False), ("one", True)]
    assert [state for state, *_ in sweep.lines()] == ["running", "killed", "running", "finished"]
    assert "lost: the node died" in sweep.printed.getvalue()


def test_a_trial_that_is_lost_each_time_is_left(sweep: Sweep) -> None:
    sweep.run(*[starts, is_lost] * (1 + MOST_LOSSES))
    assert sweep.lines()[-1] == ("killed", 1 + MOST_LOSSES, 137)
    assert sweep.folder().status()["error"].startswith("lost: the node died")


def test_an_error_of_the_sweep_stops_and_marks_the_trials(sweep: Sweep) -> None:
    def fails(ticket: Ticket) -> list[Event]:
        raise RuntimeError("a fault of the sweep")

    with pytest.raises(RuntimeError, match="a fault of the sweep"):
        sweep.run(starts, fails, is_quiet, ends(-15), names=("one", "two"))
    assert sweep.executor.stopped == [(StopReason.INTERRUPTED, False)]
    assert sweep.lines()[-1] == ("interrupted", 1, 130)


def test_an_error_that_comes_again_does_not_keep_the_sweep(sweep: Sweep) -> None:
    def fails(ticket: Ticket) -> list[Event]:
        raise RuntimeError("a fault of the sweep")

    with pytest.raises(RuntimeError, match="a fault of the sweep"):
        sweep.run(starts, fails, *[fails] * MOST_ATTEMPTS)
    assert sweep.executor.stopped[-1] == (StopReason.INTERRUPTED, True)


def test_a_full_disk_makes_the_queue_wait(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failures = Ledger.write, [errno.ENOSPC, errno.EDQUOT]

    def fails_twice(ledger: Ledger, *arguments: Any, **named: Any) -> None:
        if failures:
            raise OSError(failures.pop(), "no room")
        write(ledger, *arguments, **named)

    monkeypatch.setattr(Ledger, "write", fails_twice)
    monkeypatch.setattr("src.sweep.room.WAIT_S", 0)
    sweep.run(starts, finishes)
    assert [state for state, *_ in sweep.lines()] == ["running", "finished"]
    assert sweep.printed.getvalue().count("is full: no trial begins") == 1


def test_no_trial_begins_on_a_full_disk(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([0, 0, 10**12])
    disk = namedtuple("disk", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk(next(free)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert sweep.run(starts, finishes).placed == [("one", False)]
    assert next(free, None) is None, "the room was not looked at"
    assert sweep.printed.getvalue().count("is full: no trial begins") == 1


def test_ctrl_c_does_not_wait_for_room(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fills_the_disk(ticket: Ticket) -> list[Event]:
        monkeypatch.setattr(TrialFolder, "end", full)
        monkeypatch.setattr(Ledger, "write", full)
        monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waits"))
        return ctrl_c(ticket)

    with pytest.raises(KeyboardInterrupt):
        sweep.run(starts, fills_the_disk, ends(-15))
    assert sweep.executor.stopped == [(StopReason.INTERRUPTED, False)]
    assert sweep.folder().state() == State.KILLED, "the same command continues it"


def test_time_in_which_the_sweep_stood_still_does_not_count(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count(0, 3600)
    monkeypatch.setattr("src.sweep.clock.time.monotonic", lambda: next(times))
    executor = sweep.run(starts, is_quiet, finishes, timeout=60)
    assert executor.stopped == []
    assert sweep.lines()[-1] == ("finished", 1, 0)


def test_a_trial_that_ends_as_its_time_runs_out_has_ended(sweep: Sweep) -> None:
    executor = sweep.run(starts, is_quiet, finishes, timeout=1e-9)
    assert executor.stopped == []
    assert sweep.lines()[-1] == ("finished", 1, 0)


def test_changed_code_is_told_once(sweep: Sweep) -> None:
    def ends_with_other_code(ticket: Ticket) -> list[Event]:
        TrialFolder(ticket.folder).update(code_changed=["src/losses/bce.py"])
        return finishes(ticket)

    sweep.run(starts, ends_with_other_code, starts, ends_with_other_code, names=("one", "two"))
    assert sweep.printed.getvalue().count("src/losses/bce.py changed; all trials") == 1


def test_it_is_told_whom_a_trial_waits_for(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep.folder().begin({}, resume=False, code="c0de", pid=4711)
    tries = iter([False, False, True])
    monkeypatch.setattr(TrialFolder, "lock", lambda _: next(tries, True))
    monkeypatch.setattr(TrialFolder, "unlock", lambda _: None)
    monkeypatch.setattr("time.sleep", lambda _: None)
    sweep.run(starts, finishes)
    assert sweep.printed.getvalue().count("process 4711 runs this trial") == 1


def test_a_trial_that_takes_too_long_is_killed_now(sweep: Sweep) -> None:
    executor = sweep.run(starts, is_quiet, is_quiet, ends(-9), timeout=1e-9)
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


class Proposing:
    """A source whose next job depends on how the last one ended."""

    def __init__(self, outputs: Path, n: int) -> None:
        self.outputs = outputs
        self.n = n
        self.told: list[tuple[str, str]] = []
        self.epochs: list[int] = []

    def more(self) -> bool:
        return self.n > len(self.told)

    def next(self) -> Job | None:
        return (
            Job(f"j{len(self.told)}", {}, ("a=1",), self.outputs, "a.trial", "c0de") if self.more() else None
        )

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        self.epochs.append(progress["epoch"])

    def ended(self, job: Job) -> None:
        self.told.append((job.signature, str(TrialFolder(job.folder).state())))


def run_proposed(sweep: Sweep, source: Proposing, *steps: Step) -> None:
    table = Table([Job(f"j{n}", {}, (), sweep.outputs, "a.trial", "c0de") for n in range(source.n)])
    sweep.executor = Scripted(steps)
    Queue(source, sweep.executor, sweep.ledger, table, Settings(sweep.outputs, "a.trial")).run()


def test_a_source_is_asked_for_the_next_job_when_one_has_ended(sweep: Sweep) -> None:
    source = Proposing(sweep.outputs, 3)
    run_proposed(sweep, source, starts, progresses, finishes, starts, ends(1), starts, finishes)
    assert source.told == [("j0", "finished"), ("j1", "failed"), ("j2", "finished")]
    assert source.epochs == [1]


def test_a_job_that_begins_again_has_not_ended(sweep: Sweep) -> None:
    source = Proposing(sweep.outputs, 1)
    run_proposed(sweep, source, starts, is_lost, starts, finishes)
    assert source.told == [("j0", "finished")]


def test_a_job_that_need_not_run_has_ended(sweep: Sweep) -> None:
    TrialFolder(sweep.outputs / "runs" / "j0").begin({}, resume=False, code="c0de")
    TrialFolder(sweep.outputs / "runs" / "j0").end(State.FINISHED, 0)
    source = Proposing(sweep.outputs, 2)
    run_proposed(sweep, source, starts, finishes)
    assert source.told == [("j0", "finished"), ("j1", "finished")]
