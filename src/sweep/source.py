"""Where a queue's jobs come from, one at a time: each time a slot is free."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from src.sweep.job import Job


class Source(Protocol):
    """Says what runs next."""

    def more(self) -> bool:
        """Whether there may be another job, as far as is known."""

    def next(self) -> Job | None:
        """Return the next job; `None` where there is none now."""

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Note that a job has done an epoch; `progress` is its line of `progress.jsonl`."""

    def ended(self, job: Job) -> None:
        """Note that a job runs no more in this sweep; its folder says how it ended."""


class Listed:
    """Jobs that are known from the beginning.

    Args:
        jobs: in their order.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._left = deque(jobs)

    def more(self) -> bool:
        """Whether one is left."""
        return bool(self._left)

    def next(self) -> Job | None:
        """Return the next one."""
        return self._left.popleft() if self._left else None

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Do nothing: the list does not depend on results."""

    def ended(self, job: Job) -> None:
        """Do nothing: the list does not depend on results."""
