"""The source of a search's trials: what is left, what is proposed, and at the end the best again."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.search.confirming import confirmations
from src.sweep.search.proposing import Proposer
from src.sweep.search.record import outcome_of
from src.sweep.search.space import Point
from src.sweep.search.trials import Trials


@dataclass
class Proposals:
    """Hands out the trials of a search; a `src.sweep.source.Source`.

    Args:
        trials: those that are known.
        proposer: of further ones.
        left: trials of an earlier command that have not finished; they come first.
    """

    trials: Trials
    proposer: Proposer
    left: deque[Job] = field(default_factory=deque)
    confirming: bool = False

    def more(self) -> bool:
        """Whether a trial is left, another one may be proposed, or the best are still to be confirmed."""
        confirms = not self.confirming and self.proposer.search.settings.confirm > 0
        return bool(self.left) or self._searches() or confirms

    def next(self) -> Job | None:
        """Return the next trial; `None` where there is none now, since those that run may be among the best."""
        if not self.left and self._searches() and (job := self.proposer.propose()):
            return job
        if not self.left and not self.trials.n_running() and not self.confirming:
            self.confirming = True
            self.left += confirmations(self.proposer.search, self.trials)
        return self.left.popleft() if self.left else None

    def _searches(self) -> bool:
        return not (self.confirming or self.proposer.exhausted) and self.proposer.search.spent.left()

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Count an epoch; those of a confirmation are on top of the budget."""
        if job.signature in self.trials.points:
            spent = self.proposer.search.spent
            spent.progresses(job.signature, int(progress["epoch"]), int(progress["epochs"]))

    def ended(self, job: Job) -> None:
        """Tell the study how a trial ended, and print what is left."""
        if job.signature not in self.trials.points:
            return
        self.proposer.search.spent.ends(job.signature)
        folder = TrialFolder(job.folder)
        self.trials.tell(job, *outcome_of(folder.state(), folder.metrics()))
        if not self.trials.table.console.is_terminal:
            self.trials.table.say(self.heading())

    def heading(self) -> str:
        """Return how far the search is: trials done and running, what is left, the best so far."""
        running = self.trials.n_running()
        n_records = len(list(self.trials.study))
        told = [f"{n_records - running} done", f"{running} running", str(self.proposer.search.spent)]
        for record in self.trials.best(1):
            values = " ".join(f"{key}={text}" for key, text in record.point.items())
            told.append(f"best so far {self._objective(record.point):.4f}: {values}")
        told += [f"{len(self.left)} confirmations wait"] if self.confirming else []
        return "search: " + "; ".join(filter(None, told))

    def _objective(self, point: Point) -> float:
        """Return the objective of a measured point, with its own sign."""
        runs = self.proposer.search.settings.outputs / "runs"
        folder = TrialFolder(runs / self.trials.signature(point))
        return float(folder.metrics().get("objective", {}).get("value", math.nan))
