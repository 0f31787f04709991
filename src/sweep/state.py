"""States of trials, and reasons to stop a trial."""

from enum import StrEnum


class State(StrEnum):
    """The state of a trial in `status.json`."""

    QUEUED = "queued"
    """Placed, but its process has not begun."""
    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    """Stopped because other trials are better."""
    PAUSED = "paused"
    """Stopped after as many epochs as it was given; it goes on where it gets more."""
    FAILED = "failed"
    OOM = "oom"
    NAN = "nan"
    TIMEOUT = "timeout"
    KILLED = "killed"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"
    """It has finished, but its results are gone or incomplete since; never written to `status.json`."""

    @property
    def final(self) -> bool:
        """Whether the attempt has ended."""
        return self not in (State.QUEUED, State.RUNNING)

    @property
    def good(self) -> bool:
        """Whether the attempt ended as its sweep wanted it to."""
        return self in (State.FINISHED, State.PRUNED, State.PAUSED)

    @property
    def retried(self) -> bool:
        """Whether the trial runs again only with `retry=true`."""
        return self in (State.FAILED, State.OOM, State.NAN, State.TIMEOUT)

    @property
    def resumable(self) -> bool:
        """Whether a later sweep continues from `last.ckpt`; `running` without a process counts as killed."""
        return not (self is State.FINISHED or self.retried)

    @property
    def exit_code(self) -> int:
        """Exit code of a process whose trial ended in this state, unless the trial sets another one."""
        return _EXIT_CODES.get(self, 1 if self.retried else 0)


_EXIT_CODES = {State.TIMEOUT: 124, State.KILLED: 137, State.INTERRUPTED: 130}


class StopReason(StrEnum):
    """Why a sweep stops a trial, in `stop.json`."""

    PRUNED = "pruned"
    BUDGET = "budget"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"

    @property
    def state(self) -> State:
        """The final state of the stopped trial."""
        return State.PAUSED if self is StopReason.BUDGET else State(self.value)

    @property
    def explanation(self) -> str:
        """For the `error` of `status.json`."""
        return {
            StopReason.PRUNED: "others do better",
            StopReason.BUDGET: "it has done the epochs that it was given",
            StopReason.TIMEOUT: "it took too long",
            StopReason.INTERRUPTED: "the sweep was interrupted",
        }[self]
