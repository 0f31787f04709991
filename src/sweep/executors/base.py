"""What every executor does: place jobs, say what has become of them, stop them. Which job is next is the queue's."""

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
        folder: the job's, by which tickets are told apart.
        executor: name of the executor's kind.
        slot: the place, as the ledger shows it, e.g. `gpu:1`.
        number: what finds it there: a process id, the number of a Slurm job, a Ray task.
    """

    folder: Path
    executor: str
    slot: str
    number: int | str

    def write(self) -> None:
        """Write `ticket.json`, which outlives the sweep."""
        where = {"executor": self.executor, "slot": self.slot, "number": self.number}
        write_json(self.folder / "ticket.json", where)


@dataclass(frozen=True)
class Started:
    """The job's process has begun its trial."""

    ticket: Ticket


@dataclass(frozen=True)
class Progressed:
    """An epoch is done. `progress` is its line of `progress.jsonl`."""

    ticket: Ticket
    progress: dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """The job's process, and all that it had started, has ended. A signal's exit code is its number, negative."""

    ticket: Ticket
    exit_code: int


@dataclass(frozen=True)
class Lost:
    """The job has ended, or is out of reach for good, and nobody knows its exit code."""

    ticket: Ticket
    why: str


Event = Started | Progressed | Ended | Lost


class Executor(ABC):
    """Runs jobs.

    A job's folder is all that its process needs: `config.yaml` and `job.json` lie there before it is placed.

    Args:
        command: what starts one trial by itself, to which its folder is appended.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    def command(self, job: Job) -> tuple[str, ...]:
        """Return the arguments for Python that run a placed job."""
        return (*self._command, str(job.folder.resolve()), job.trial)

    @abstractmethod
    def reserve(self, trials: int, gpus_a_trial: int, gpus: Sequence[str]) -> None:
        """Lay out the places, before the first job; a later call lays them out anew.

        Args:
            trials: how many there will be, 1 or more.
            gpus_a_trial: devices that each needs, 0 on a CPU.
            gpus: names of the GPUs of this machine.

        Raises:
            UserError: a trial needs more than there is.
        """

    @abstractmethod
    def has_room(self) -> bool:
        """Return whether another job may be placed now."""

    @abstractmethod
    def place(self, job: Job, resume: bool) -> Ticket:
        """Start a job, or hand it over to what will start it, and write `ticket.json`.

        Args:
            job: its folder is begun (`queued`) and not locked.
            resume: it goes on from a checkpoint, with as many threads as it began with (`earlier_threads`).
        """

    @abstractmethod
    def poll(self, tickets: Sequence[Ticket]) -> list[Event]:
        """Return what has happened to placed jobs since the last call, of each in the order in which it happened.

        Waits for something to happen, at most half a second. The last event of a job is `Ended` or `Lost`, its
        place free from then on. A job that neither starts nor ends must come to one of them.
        """

    @abstractmethod
    def stop(self, ticket: Ticket, reason: StopReason, *, now: bool = False) -> None:
        """Write `stop.json` and send a signal; `poll` says when the job has ended.

        Args:
            ticket: of a job that has not ended.
            reason: the trial reads it and ends in the state that belongs to it.
            now: kill it; else it is killed if it has not stopped by itself after some seconds.
        """


def earlier_threads(job: Job) -> int | None:
    """Return how many threads a job began with: sums in another order would change the figures it goes on to."""
    threads = TrialFolder(job.folder).status().get("environment", {}).get("OMP_NUM_THREADS")
    return int(threads) if threads else None
