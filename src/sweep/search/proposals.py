"""The source of a search's trials: proposes the next one when a slot is free, and learns from each that ends."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from src.errors import UserError
from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import RUNS, Plan, Request, plan, plan_and_prepare
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

N_FRESH = 3
"""Seeds with which a configuration is confirmed: those after the search's own."""

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
    confirming: bool = False

    def more(self) -> bool:
        """Whether a trial is left, another one may be proposed, or the best are still to be confirmed."""
        confirms = not self.confirming and self.search.settings.confirm > 0
        return bool(self.left) or self._searches() or confirms

    def next(self) -> Job | None:
        """Return the next trial; `None` where there is none now, since those that run may be among the best."""
        if not self.left and self._searches() and (job := self._propose()):
            return job
        runs = any(record.outcome is Outcome.RUNS for record in self.search.study)
        if not self.left and not runs and not self.confirming:
            self.confirming = True
            self._confirm()
        return self.left.popleft() if self.left else None

    def _searches(self) -> bool:
        return not (self.confirming or self.exhausted) and self.search.spent.left()

    def _propose(self) -> Job | None:
        """Return the next proposal that has to run; `None` where nothing new is proposed any more."""
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
        """Count an epoch; those of a confirmation are on top of the budget."""
        if job.signature in self.points:
            self.search.spent.progresses(job.signature, int(progress["epoch"]), int(progress["epochs"]))

    def ended(self, job: Job) -> None:
        """Tell the study how a trial ended, and print what is left."""
        if job.signature in self.points:
            self.search.spent.ends(job.signature)
        folder = TrialFolder(job.folder)
        for point in self.points.get(job.signature, []):
            self.search.study.tell(point, *outcome_of(folder.state(), folder.metrics()))
        if job.signature in self.points and not self.table.console.is_terminal:
            self.table.say(self.heading())

    def heading(self) -> str:
        """Return how far the search is: trials done and running, what is left, the best so far."""
        records = list(self.search.study)
        running = sum(record.outcome is Outcome.RUNS for record in records)
        told = [f"{len(records) - running} done", f"{running} running", str(self.search.spent)]
        measured = [record for record in records if record.loss is not None]
        if measured:
            best = min(measured, key=lambda record: record.loss or 0.0).point
            values = " ".join(f"{key}={text}" for key, text in best.items())
            told.append(f"best so far {self._objective(best):.4f}: {values}")
        told += [f"{len(self.left)} confirmations wait"] if self.confirming else []
        return "search: " + "; ".join(filter(None, told))

    def _objective(self, point: Point) -> float:
        """Return the objective of a measured point, with its own sign."""
        signature = next(name for name, points in self.points.items() if point in points)
        folder = TrialFolder(self.search.settings.outputs / "runs" / signature)
        return float(folder.metrics().get("objective", {}).get("value", math.nan))

    def add(self, point: Point, job: Job, outcome: Outcome, loss: float | None, *, proposed: bool) -> None:
        """Add a point that is known, and its trial."""
        self.points.setdefault(job.signature, []).append(point)
        self.search.study.add(Record(point, outcome, loss, proposed))
        self.table.add(job)
        if proposed:
            self.jobs.setdefault(job.signature, job)

    def _confirm(self) -> None:
        """Queue the best configurations again, with fresh seeds, as many as have not finished."""
        search = self.search
        measured = [record for record in search.study if record.loss is not None]
        best = sorted(measured, key=lambda record: record.loss or 0.0)[: search.settings.confirm]
        seeds = range(search.settings.seed + 1, search.settings.seed + 1 + N_FRESH)
        requests = [
            search.request(_with_seed(search.space, each.point, seed)) for each in best for seed in seeds
        ]
        if not requests:
            return
        planned = call(plan, requests, search.settings, search.sweep, search.space.fixed)
        self.table.say(f"search: its {len(best)} best run again, with seed={','.join(map(str, seeds))}")
        for job, (action, _) in zip(planned.jobs, planned.actions, strict=True):
            left = str(TrialFolder(job.folder).state())  # one that has failed, without retry=true
            state = State.QUEUED if action in RUNS else "reused" if action == "reuse" else left
            self.table.add(job)
            self.jobs.setdefault(job.signature, job)
            self.ledger.write(job.signature, state, overrides=list(job.overrides), confirms=True)
            self.table.update(job.signature, state=state)
            if action in RUNS:
                self.left.append(job)

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


def _with_seed(space: Space, point: Point, seed: int) -> tuple[str, ...]:
    """Return the overrides of a point with another seed."""
    others = (text for text in space.overrides(point) if text.lstrip("+").partition("=")[0] != "seed")
    return (*others, f"seed={seed}")
