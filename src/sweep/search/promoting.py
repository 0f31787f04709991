"""Carries out what a search's pruner decides: sets limits to trials, and lets paused ones go on."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

from src.sweep.job import Job
from src.sweep.limits import Limits
from src.sweep.search.budget import Spent
from src.sweep.search.pruners.base import Pruner
from src.sweep.search.record import Outcome, Record
from src.sweep.search.rungs import rung_notes
from src.sweep.search.trials import Trials
from src.sweep.state import State


@dataclass
class Promotion:
    """Sets limits to trials, and lets paused ones go on.

    Args:
        trials: of the search.
        spent: of its budget.
        pruner: decides; `None`: all are trained to the end.
        n_whole: so many of the best are trained to the end, whatever the pruner says; the budget of epochs is kept for
            them.
        limits: of the trials that run, by signature.
    """

    trials: Trials
    spent: Spent
    pruner: Pruner | None
    n_whole: int
    limits: dict[str, Limits] = field(default_factory=dict)

    def limited(self, job: Job) -> Job:
        """Return a trial with its limits."""
        limits = self._limits(job.signature)
        if limits is None:
            return job
        self.limits[job.signature] = limits
        return replace(job, limits=limits)

    def update(self) -> None:
        """Write new limits for the trials that run, where others have changed them."""
        for signature, before in self.limits.items():
            limits = self._limits(signature)
            if limits and limits != before:
                self.limits[signature] = limits
                limits.write(self.trials.jobs[signature].folder)

    def ended(self, signature: str) -> None:
        """Note that a trial does not run any more."""
        self.limits.pop(signature, None)

    def next_stop(self, signature: str, done: int, epochs: int) -> int:
        """Return after how many epochs a trial that runs may stop next."""
        limits = self.limits.get(signature)
        return (limits.next_stop(done) if limits else None) or epochs

    def next(self) -> Job | None:
        """Return the paused trial that its pruner lets go on, if the budget of epochs is enough for it."""
        record = self.pruner.promoted(list(self.trials.study)) if self.pruner else None
        if record is None or not self._affords(record):
            return None
        return self.limited(self._resume(record))

    def unfinished(self) -> Job | None:
        """Return one of the best that is not trained to the end, which it now will be."""
        best = sorted(self.trials.study, key=lambda record: record.reached)[: self.n_whole]
        record = next((each for each in best if each.outcome is Outcome.PAUSED), None)
        return self._resume(record) if record else None

    def may_propose(self) -> bool:
        """Whether the budget of epochs is enough for another trial, and for the best to be trained to the end."""
        rungs = self.pruner.rungs(self.spent.most_epochs) if self.pruner else []
        cost = rungs[0] if rungs else self.spent.most_epochs
        return self.spent.left(cost + self._kept())

    def correlations(self) -> list[str]:
        """Return what to say of the rungs: how well the order there agrees with that at the end."""
        return rung_notes(list(self.trials.study), self.pruner) if self.pruner else []

    def _affords(self, record: Record) -> bool:
        rungs = self.pruner.rungs(record.curve.epochs) if self.pruner else []
        until = next((rung for rung in rungs if rung > record.curve.done), record.curve.epochs)
        return self.spent.affords(until - record.curve.done + self._kept())

    def _kept(self) -> int:
        """Return how many epochs the best still need to the end, as far as they are not planned already."""
        if self.pruner is None:
            return 0
        best = sorted(self.trials.study, key=lambda record: record.reached)[: self.n_whole]
        done = [self._planned(record) for record in best]
        return max(0, self.n_whole * self.spent.most_epochs - sum(done))

    def _planned(self, record: Record) -> int:
        if record.outcome is Outcome.MEASURED:
            return self.spent.most_epochs
        if record.outcome is not Outcome.RUNS:
            return record.curve.done
        signature = self.trials.signature(record.point)
        return self.next_stop(signature, record.curve.done, record.curve.epochs)

    def _resume(self, record: Record) -> Job:
        signature = self.trials.signature(record.point)
        job = self.trials.jobs[signature]
        self.trials.tell(job, Outcome.RUNS, None)
        self.spent.progresses(signature, record.curve.done, record.curve.epochs)
        self.trials.ledger.write(signature, State.QUEUED, overrides=list(job.overrides))
        self.trials.table.update(signature, state=State.QUEUED)
        return job

    def _limits(self, signature: str) -> Limits | None:
        if self.pruner is None:
            return None
        record = self.trials.record(signature)
        others = [each for each in self.trials.study if each is not record]
        return Limits(self.pruner.reason, self._thrifty(record, self.pruner.limits(record, others)))

    def _thrifty(self, record: Record, losses: dict[int, float | None]) -> dict[int, float | None]:
        """Let a trial pause in any case where the budget of epochs is not enough to go on."""
        kept, stops = self._kept(), [*losses, record.curve.epochs or self.spent.most_epochs]
        return {
            epoch: losses[epoch] if self.spent.affords(end - epoch + kept) else None
            for epoch, end in pairwise(stops)
        }
