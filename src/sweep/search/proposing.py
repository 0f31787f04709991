"""Proposes the next trial of a search: asks its sampler until there is one that has to run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from src.errors import UserError
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.kept_process import KeptProcess
from src.sweep.plan import RUNS, Plan, Request
from src.sweep.search.budget import Spent
from src.sweep.search.planner import Planner
from src.sweep.search.record import Outcome, Record, record_of
from src.sweep.search.space import Point, Space
from src.sweep.search.trials import Trials
from src.sweep.settings import Settings
from src.sweep.state import State

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
        spent: of its budget.
        request: from overrides to a trial; raises UserError where it is refused.
        untried: returns a point of a finite space that is not known, `None` where there is none; from its seed.
        settings: of the sweep.
        sweep: its name.
    """

    space: Space
    spent: Spent
    request: Callable[[tuple[str, ...]], Request]
    untried: Callable[[int, int], Point | None]
    settings: Settings
    sweep: str


@dataclass
class Proposer:
    """Proposes trials.

    Args:
        search: what it consists of.
        trials: those that are known.
        number: of the next proposal.
        exhausted: whether nothing new is proposed any more.
    """

    search: Search
    trials: Trials
    number: int = 0
    exhausted: bool = False
    planner: Callable[[Request], Plan] = field(init=False)

    def __post_init__(self) -> None:
        """Choose the process that plans; it starts with the first proposal."""
        search = self.search
        self.planner = KeptProcess(Planner, search.settings, search.sweep, search.space.fixed)

    def propose(self) -> Job | None:
        """Return the next proposal that has to run; `None` where nothing new is proposed any more."""
        known, tries = 0, 0
        while tries < MOST_TRIES or self._listed():
            point = self._ask(known)
            if point is None:
                break
            if point in self.trials.study:
                known += 1
                continue
            before = self.number
            if job := self._take(point):
                return job
            tries += 1
            known = 0 if self.number > before else known + 1
        self.exhausted = True
        nothing = "all configurations are known" if self._listed() else "nothing new is proposed any more"
        self.trials.table.say(f"search: {nothing}; it ends here.")
        return None

    def _ask(self, known: int) -> Point | None:
        """Return a proposal; where many were known, one of those that are not, if these can be listed."""
        if known >= MOST_KNOWN and self._listed():
            return self.search.untried(self.number, known)
        return self.trials.study.ask(self.number, known) if known < MOST_TRIES else None

    def _listed(self) -> bool:
        """Whether the space has so few configurations that they can be listed."""
        size = self.search.space.size
        return size is not None and size <= MOST_LISTED

    def _take(self, point: Point) -> Job | None:
        """Plan a point, and return its trial if it has to run."""
        planned = self._plan(point)
        if planned is None:
            self.trials.study.add(Record(point, Outcome.FAILED))
            return None
        [job], [(action, reason)] = planned.jobs, planned.actions
        if job.signature in self.trials.points or action not in RUNS:
            self._reuse(point, job)
            return None
        self.search.spent.begins(job.signature)
        self.trials.add(Record(point, number=self.number), job)
        self._note(job, State.QUEUED)
        if reason != "new":
            self.trials.table.say(f"{job.name}: {reason}")
        return job

    def _plan(self, point: Point) -> Plan | None:
        """Return the plan of a point, or say why it was refused."""
        search = self.search
        overrides = search.space.overrides(point)
        try:
            planned = self.planner(search.request(overrides))
            problems = planned.problems
        except UserError as error:
            planned, problems = None, [str(error)]
        if problems:
            own = " ".join(override for override in overrides if override not in search.space.fixed)
            self.trials.table.say(f"{own}: refused, another is proposed. {problems[0]}")
            return None
        return planned

    def _reuse(self, point: Point, job: Job) -> None:
        """Take the result of a trial that is known, or wait for it where this search runs it now."""
        known = job.signature in self.trials.points
        record = self.trials.record(job.signature) if known else record_of(point, TrialFolder(job.folder))
        self.trials.add(replace(record, point=point, number=self.number, proposed=True), job)
        self._note(job, "reused")
        self.trials.table.say(f"{job.name}: known already, it is not run again")

    def _note(self, job: Job, state: str) -> None:
        overrides = list(job.overrides)
        self.trials.ledger.write(job.signature, state, overrides=overrides, proposal=self.number)
        self.number += 1
        self.trials.table.update(job.signature, state=state)
