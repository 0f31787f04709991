"""The source of a search's trials: proposes the next one when a slot is free, and learns from each that ends."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from src.errors import UserError
from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import RUNS, Plan, Request, plan_and_prepare
from src.sweep.search.budget import Spent
from src.sweep.search.record import Outcome, Record, outcome_of
from src.sweep.search.space import Point, Space
from src.sweep.search.study import Study
from src.sweep.settings import Settings
from src.sweep.state import State
from src.sweep.table import Table

MOST_KNOWN = 20
"""Points in a row that may be known already, until one is taken of those that are not."""

MOST_TRIES = 100
"""Proposals in a row that may come to nothing, until the search ends."""

MOST_LISTED = 10_000
"""Configurations of a finite space, up to which those that are not known are listed."""


@dataclass
class Search:
    """What a search consists of.

    Args:
        space: of the search.
        study: what is known of it.
        spent: of its budget.
        request: from overrides to a trial; raises UserError where it is refused.
        untried: returns a point of a finite space that is not known, `None` where there is none; from its seed.
        settings: of the sweep.
        sweep: its name.
    """

    space: Space
    study: Study
    spent: Spent
    request: Callable[[tuple[str, ...]], Request]
    untried: Callable[[int, int], Point | None]
    settings: Settings
    sweep: str


@dataclass
class Proposals:
    """Proposes trials; a `src.sweep.source.Source`.

    Args:
        search: what it consists of.
        ledger: receives a line for each proposal.
        table: shows the trials.
        number: of the next proposal.
        left: trials of an earlier command that have not finished; they come first.
    """

    search: Search
    ledger: Ledger
    table: Table
    number: int = 0
    left: deque[Job] = field(default_factory=deque)
    jobs: dict[str, Job] = field(default_factory=dict)
    points: dict[str, list[Point]] = field(default_factory=dict)
    exhausted: bool = False

    def more(self) -> bool:
        """Whether a trial is left of an earlier command, or another one may be proposed."""
        return bool(self.left) or (not self.exhausted and self.search.spent.left())

    def next(self) -> Job | None:
        """Return the next trial; `None` where nothing new is proposed any more."""
        if self.left:
            return self.left.popleft()
        known, tries = 0, 0
        while tries < MOST_TRIES or self._listed():
            point = self._ask(known)
            if point is None:
                break
            if point in self.search.study:
                known += 1
                continue
            before = self.number
            if job := self._take(point):
                return job
            tries += 1
            known = 0 if self.number > before else known + 1
        self.exhausted = True
        nothing = "all configurations are known" if self._listed() else "nothing new is proposed any more"
        self.table.say(f"search: {nothing}; it ends here.")
        return None

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Count an epoch."""
        self.search.spent.progresses(job.signature, int(progress["epoch"]), int(progress["epochs"]))

    def ended(self, job: Job) -> None:
        """Tell the study how a trial ended, and print what is left."""
        self.search.spent.ends(job.signature)
        folder = TrialFolder(job.folder)
        for point in self.points.get(job.signature, []):
            self.search.study.tell(point, *outcome_of(folder.state(), folder.metrics()))
        if not self.table.console.is_terminal:
            self.table.say(self.heading())

    def heading(self) -> str:
        """Return how far the search is: trials done and running, what is left, the best so far."""
        records = list(self.search.study)
        running = sum(record.outcome is Outcome.RUNS for record in records)
        told = [f"{len(records) - running} done", f"{running} running", str(self.search.spent)]
        measured = [record for record in records if record.loss is not None]
        if measured:
            best = min(measured, key=lambda record: record.loss or 0.0)
            values = " ".join(f"{key}={text}" for key, text in best.point.items())
            told.append(f"best so far {abs(best.loss or 0.0):.4f}: {values}")
        return "search: " + "; ".join(filter(None, told))

    def add(self, point: Point, job: Job, outcome: Outcome, loss: float | None, *, proposed: bool) -> None:
        """Add a point that is known, and its trial."""
        self.points.setdefault(job.signature, []).append(point)
        self.search.study.add(Record(point, outcome, loss, proposed))
        self.table.add(job)
        if proposed:
            self.jobs.setdefault(job.signature, job)

    def _ask(self, known: int) -> Point | None:
        """Return a proposal; where many were known, one of those that are not, if these can be listed."""
        if known >= MOST_KNOWN and self._listed():
            return self.search.untried(self.number, known)
        return self.search.study.ask(self.number, known) if known < MOST_TRIES else None

    def _listed(self) -> bool:
        """Whether the space has so few configurations that they can be listed."""
        size = self.search.space.size
        return size is not None and size <= MOST_LISTED

    def _take(self, point: Point) -> Job | None:
        """Plan a point, and return its trial if it has to run."""
        planned = self._plan(point)
        if planned is None:
            self.search.study.add(Record(point, Outcome.FAILED))
            return None
        [job], [(action, reason)] = planned.jobs, planned.actions
        if job.signature in self.points or action not in RUNS:
            self._reuse(point, job)
            return None
        self.search.spent.begins(job.signature)
        self.add(point, job, Outcome.RUNS, None, proposed=True)
        self._note(job, State.QUEUED)
        if reason != "new":
            self.table.say(f"{job.name}: {reason}")
        return job

    def _plan(self, point: Point) -> Plan | None:
        """Return the plan of a point, or say why it was refused."""
        search = self.search
        overrides = search.space.overrides(point)
        try:
            request = search.request(overrides)
            planned = call(plan_and_prepare, request, search.settings, search.sweep, search.space.fixed)
            problems = planned.problems
        except UserError as error:
            planned, problems = None, [str(error)]
        if problems:
            own = " ".join(override for override in overrides if override not in search.space.fixed)
            self.table.say(f"{own}: refused, another is proposed. {problems[0]}")
            return None
        return planned

    def _reuse(self, point: Point, job: Job) -> None:
        """Take the result of a trial that is known, or wait for it where this search runs it now."""
        folder = TrialFolder(job.folder)
        state = folder.state()
        runs = any(
            record.outcome is Outcome.RUNS
            for record in self.search.study
            if record.point in self.points.get(job.signature, [])
        )
        outcome, loss = (Outcome.RUNS, None) if runs else outcome_of(state, folder.metrics())
        self.add(point, job, outcome, loss, proposed=True)
        self._note(job, "reused")
        self.table.say(f"{job.name}: known already, it is not run again")

    def _note(self, job: Job, state: str) -> None:
        overrides = list(job.overrides)
        self.ledger.write(job.signature, state, overrides=overrides, proposal=self.number)
        self.number += 1
        self.table.update(job.signature, state=state)
