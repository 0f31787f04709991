"""The source of a search's trials: what is left, what goes on, what is proposed, and at the end the best again."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.search.confirming import confirmations
from src.sweep.search.promoting import Promotion
from src.sweep.search.proposing import Proposer
from src.sweep.search.record import outcome_of
from src.sweep.search.trials import Trials


@dataclass
class Proposals:
    """Hands out the trials of a search; a `src.sweep.source.Source`.

    Args:
        trials: those that are known.
        proposer: of further ones.
        promotion: of paused ones.
        left: trials of an earlier command that have not finished; they come first.
    """

    trials: Trials
    proposer: Proposer
    promotion: Promotion
    left: deque[Job] = field(default_factory=deque)
    confirming: bool = False
    over: bool = False

    def more(self) -> bool:
        """Whether there may be another trial, as far as is known."""
        return bool(self.left) or not self.over

    def next(self) -> Job | None:
        """Return the next trial; `None` where there is none now, since those that run may be among the best."""
        if self.left:
            left = self.left.popleft()
            return left if self.confirming else self.promotion.limited(left)
        if self.over or self.confirming:
            self.over = True
            return None
        if job := self._searched():
            return job
        if self.trials.n_running():
            return None
        self.confirming = True
        self._tell_correlations()
        self.left += confirmations(self.proposer.search, self.trials)
        return self.next()

    def _searched(self) -> Job | None:
        """Return a paused trial that goes on, a new one, or one of the best that is not trained to the end."""
        if job := self.promotion.next():
            return job
        if not self.proposer.exhausted and self.promotion.may_propose() and (job := self.proposer.propose()):
            return self.promotion.limited(job)
        return self.promotion.unfinished()

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Count an epoch; those of a confirmation are on top of the budget."""
        if job.signature not in self.trials.points:
            return
        self.trials.progressed(job, progress)
        done, epochs = int(progress["epoch"]), int(progress["epochs"])
        until = self.promotion.next_stop(job.signature, done, epochs)
        self.proposer.search.spent.progresses(job.signature, done, epochs, until)
        self.promotion.update()

    def ended(self, job: Job) -> None:
        """Tell the study how a trial ended, and print what is left."""
        if job.signature not in self.trials.points:
            return
        self.proposer.search.spent.ends(job.signature)
        self.promotion.ended(job.signature)
        folder = TrialFolder(job.folder)
        self.trials.tell(job, *outcome_of(folder.state(), folder.metrics()))
        self.promotion.update()
        if not self.trials.table.console.is_terminal:
            self.trials.table.say(self.heading())

    def heading(self) -> str:
        """Return how far the search is: trials done, paused and running, what is left, the best so far."""
        running, paused = self.trials.n_running(), self.trials.n_paused()
        interrupted = self.trials.n_interrupted()
        n_done = len(list(self.trials.study)) - running - paused - interrupted
        told = [f"{n_done} done", f"{paused} paused" if paused else "", f"{running} running"]
        told.append(f"{interrupted} interrupted" if interrupted else "")
        told.append(str(self.proposer.search.spent))
        if best := self.trials.best_so_far():
            values = " ".join(f"{key}={text}" for key, text in best.point.items())
            objective = best.reached if best.curve.direction == "min" else -best.reached
            told.append(f"best so far {objective:.4f}: {values}")
        told += [f"{len(self.left)} confirmations wait"] if self.confirming else []
        return "search: " + "; ".join(filter(None, told))

    def _tell_correlations(self) -> None:
        """Print how well the order at the rungs agrees with that at the end."""
        for line in self.promotion.correlations():
            self.trials.table.say(line)
