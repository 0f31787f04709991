"""What every executor must do. A subclass has a fixture `executor` (one place laid out) and a method `lose`."""

import json
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from src.fingerprint import content_hash
from src.paths import ROOT
from src.sweep.executors.base import Ended, Event, Executor, Lost, Progressed, Started, Ticket
from src.sweep.executors.worker import BUSY
from src.sweep.folder import TrialFolder
from src.sweep.identity import code
from src.sweep.job import Job
from src.sweep.state import State, StopReason

COMMAND = (str(ROOT / "run.py"), "--trial")
MOST_S = 120.0


def placed(
    executor: Executor,
    outputs: Path,
    does: str,
    name: str = "0123456789ab",
    *,
    resume: bool = False,
    inputs: Mapping[str, str] | None = None,
) -> Ticket:
    """Begin a folder as the queue does, and place its job."""
    overrides = (f"does={does}",)
    trial = "contract_trial"
    job = Job(name, {"does": does}, overrides, outputs, trial, code(), "a sweep", inputs=inputs or {})
    TrialFolder(job.folder).begin(job.config, resume=resume, code=job.code, state=State.QUEUED)
    job.write()
    return executor.place(job, resume)


def events_until(executor: Executor, ticket: Ticket, *last: type[Event]) -> list[Event]:
    """Poll until an event of a kind has come."""
    seen: list[Event] = []
    deadline = time.monotonic() + MOST_S
    while not any(isinstance(event, last) for event in seen):
        assert time.monotonic() < deadline, f"only {seen} in {MOST_S} s"
        seen += executor.poll([ticket])
    return seen


def to_the_end(executor: Executor, ticket: Ticket) -> list[Event]:
    return events_until(executor, ticket, Ended, Lost)


def until_it_hangs(executor: Executor, ticket: Ticket) -> None:
    """Poll until the first epoch is done and the trial does not look at `stop.json` any more."""
    events_until(executor, ticket, Progressed)
    deadline = time.monotonic() + MOST_S
    while not (ticket.folder / "hangs").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def log(ticket: Ticket) -> str:
    return (ticket.folder / "train.log").read_text()


class ExecutorContract(ABC):
    @abstractmethod
    def lose(self, executor: Executor, ticket: Ticket) -> None:
        """Make the job end in a way that leaves the executor without its exit code."""

    def test_a_trial_finishes(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "finishes")
        started, *progressed, ended = to_the_end(executor, ticket)
        assert started == Started(ticket)
        lines = [json.loads(line) for line in (ticket.folder / "progress.jsonl").read_text().splitlines()]
        assert progressed == [Progressed(ticket, line) for line in lines]
        assert [(line["epoch"], line["epochs"], line["objective"]) for line in lines] == [
            (1, 2, 0.1),
            (2, 2, 0.2),
        ]
        assert ended == Ended(ticket, 0)
        assert TrialFolder(ticket.folder).state() == State.FINISHED
        assert "attempt 1 from epoch 0" in log(ticket)

    def test_the_ticket_is_in_the_folder(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "finishes")
        written = json.loads((ticket.folder / "ticket.json").read_text())
        assert written == {"executor": ticket.executor, "slot": ticket.slot, "number": ticket.number}
        to_the_end(executor, ticket)
        assert (ticket.folder / "ticket.json").exists()

    def test_a_trial_fails(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "raises")
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, 1)
        assert TrialFolder(ticket.folder).status()["state"] == State.FAILED

    def test_a_trial_whose_data_have_changed_is_interrupted(self, executor: Executor, tmp_path: Path) -> None:
        data = tmp_path / "a.wav"
        data.write_text("a")
        inputs = {str(data): content_hash(data)}
        data.write_text("b")
        ticket = placed(executor, tmp_path, "finishes", inputs=inputs)
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, State.INTERRUPTED.exit_code)
        status = TrialFolder(ticket.folder).status()
        assert status["state"] == State.INTERRUPTED
        assert "the data have changed" in status["error"]
        assert not (ticket.folder / "progress.jsonl").exists()

    def test_a_trial_is_killed(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "kills itself")
        events = to_the_end(executor, ticket)
        assert events[0] == Started(ticket)
        assert events[-1] == Ended(ticket, -signal.SIGKILL)
        assert TrialFolder(ticket.folder).state() == State.KILLED

    @pytest.mark.parametrize("reason", [StopReason.PRUNED, StopReason.BUDGET, StopReason.INTERRUPTED])
    def test_a_trial_is_stopped(self, executor: Executor, tmp_path: Path, reason: StopReason) -> None:
        ticket = placed(executor, tmp_path, "hangs")
        until_it_hangs(executor, ticket)
        executor.stop(ticket, reason)
        assert json.loads((ticket.folder / "stop.json").read_text()) == {"reason": reason}
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, reason.state.exit_code)
        assert TrialFolder(ticket.folder).status()["state"] == reason.state

    def test_a_trial_that_does_not_stop_is_killed(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "ignores signals")
        until_it_hangs(executor, ticket)
        executor.stop(ticket, StopReason.INTERRUPTED)
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, -signal.SIGKILL)

    def test_a_trial_is_killed_now(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "hangs")
        until_it_hangs(executor, ticket)
        executor.stop(ticket, StopReason.TIMEOUT, now=True)
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, -signal.SIGKILL)
        assert TrialFolder(ticket.folder).status()["state"] == State.RUNNING

    def test_what_a_trial_has_started_ends_with_it(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "has a child")
        to_the_end(executor, ticket)
        child = int((ticket.folder / "child.pid").read_text())
        deadline = time.monotonic() + 5
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "its child lives"
            time.sleep(0.05)

    def test_a_trial_is_lost(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "hangs")
        until_it_hangs(executor, ticket)
        self.lose(executor, ticket)
        [lost] = to_the_end(executor, ticket)
        assert isinstance(lost, Lost)
        assert lost.why
        assert TrialFolder(ticket.folder).state() == State.KILLED
        after = placed(executor, tmp_path, "finishes", "ba9876543210")
        assert to_the_end(executor, after)[-1] == Ended(after, 0)

    def test_a_trial_goes_on_with_the_threads_it_began_with(self, executor: Executor, tmp_path: Path) -> None:
        ticket = placed(executor, tmp_path, "hangs")
        until_it_hangs(executor, ticket)
        executor.stop(ticket, StopReason.INTERRUPTED)
        to_the_end(executor, ticket)
        folder = TrialFolder(ticket.folder)
        folder.update(environment=folder.status()["environment"] | {"OMP_NUM_THREADS": "7"})
        again = placed(executor, tmp_path, "finishes", resume=True)
        events = to_the_end(executor, again)
        assert [event.progress["epoch"] for event in events if isinstance(event, Progressed)] == [1, 2]
        assert "attempt 2 from epoch 1" in log(again)
        assert folder.status()["environment"]["OMP_NUM_THREADS"] == "7"

    def test_what_another_sweep_runs_never_starts(self, executor: Executor, tmp_path: Path) -> None:
        folder = TrialFolder(tmp_path / "runs" / "0123456789ab")
        folder.lock()
        ticket = placed(executor, tmp_path, "finishes")
        assert to_the_end(executor, ticket) == [Ended(ticket, BUSY)]
        assert folder.status()["state"] == State.QUEUED
        folder.unlock()

    def test_what_another_sweep_has_run_is_left_as_it_is(self, executor: Executor, tmp_path: Path) -> None:
        folder = TrialFolder(tmp_path / "runs" / "0123456789ab")
        folder.lock()
        ticket = placed(executor, tmp_path, "finishes")
        folder.end(State.FINISHED, 0)
        before = folder.status()
        folder.unlock()
        assert to_the_end(executor, ticket)[-1] == Ended(ticket, BUSY)
        assert folder.status() == before

    def test_a_place_is_taken_until_the_end(self, executor: Executor, tmp_path: Path) -> None:
        assert executor.has_room()
        ticket = placed(executor, tmp_path, "finishes")
        assert not executor.has_room()
        to_the_end(executor, ticket)
        assert executor.has_room()
