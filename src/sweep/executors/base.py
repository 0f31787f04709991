"""The interface of executors: they place jobs, report their events, and stop them. The queue chooses the next job."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.fingerprint import write_json
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.state import StopReason


@dataclass(frozen=True)
class Ticket:
    """Where a job runs.

    Args:
        folder: of the job; it distinguishes tickets.
        executor: name of the kind of executor.
        slot: the slot, as the ledger shows it, e.g. `gpu:1`.
        number: identifies the job there: a process id, the number of a Slurm job, a Ray task.
    """

    folder: Path
    executor: str
    slot: str
    number: int | str

    def write(self) -> None:
        """Write `ticket.json` into the job's folder; it remains after the sweep has ended."""
        where = {"executor": self.executor, "slot": self.slot, "number": self.number}
        write_json(self.folder / "ticket.json", where)


@dataclass(frozen=True)
class Started:
    """The job's process has begun its trial."""

    ticket: Ticket


@dataclass(frozen=True)
class Progressed:
    """An epoch is done. `progress` is its line of `progress.jsonl`; where a trial goes on, earlier lines come again."""

    ticket: Ticket
    progress: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """The job's process and all that it started have ended; after a signal `exit_code` is minus its number."""

    ticket: Ticket
    exit_code: int


@dataclass(frozen=True)
class Lost:
    """The job has ended or cannot be reached any more, and its exit code is unknown."""

    ticket: Ticket
    why: str


Event = Started | Progressed | Ended | Lost


class Executor(ABC):
    """Runs jobs.

    A job's process needs only its folder: `config.yaml` and `job.json` lie there before the job is placed.

    Args:
        command: arguments for Python that run a single trial; its folder is appended.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    def command(self, job: Job) -> tuple[str, ...]:
        """Return the arguments for Python that run a placed job."""
        return (*self._command, str(job.folder.resolve()), job.trial)

    @abstractmethod
    def reserve(self, trials: int, gpus_a_trial: int, gpus: Sequence[str]) -> None:
        """Set up the slots before the first job is placed; a later call sets them up again.

        Args:
            trials: number of trials, 1 or more.
            gpus_a_trial: GPUs that each trial needs, 0 on a CPU.
            gpus: names of the GPUs of this machine.

        Raises:
            UserError: a trial needs more GPUs than there are.
        """

    @abstractmethod
    def has_room(self) -> bool:
        """Whether another job can be placed now."""

    @abstractmethod
    def place(self, job: Job, resume: bool) -> Ticket:
        """Start a job, or submit it to a scheduler, and write `ticket.json`.

        Args:
            job: the state in its folder is `queued`, and the folder is not locked.
            resume: whether it continues from a checkpoint, with as many threads as before (`earlier_threads`).
        """

    @abstractmethod
    def poll(self, tickets: Sequence[Ticket]) -> list[Event]:
        """Return the events of placed jobs since the last call, for each job in the order in which they happened.

        Wait for an event, at most half a second. The last event of a job is `Ended` or `Lost`; then its slot is free.
        Every job must come to one of the two, even if its process never starts.
        """

    @abstractmethod
    def stop(self, ticket: Ticket, reason: StopReason, *, now: bool = False) -> None:
        """Write `stop.json` and send a signal; `poll` reports when the job has ended.

        Args:
            ticket: of a job that has not ended.
            reason: is written to `stop.json`; the trial ends in the state of this reason.
            now: kill the job at once; otherwise only if it has not stopped by itself after some seconds.
        """


def earlier_threads(job: Job) -> int | None:
    """Return how many threads a job began with; with another number sums, and so its figures, would change."""
    threads = TrialFolder(job.folder).status().get("environment", {}).get("OMP_NUM_THREADS")
    return int(threads) if threads else None
