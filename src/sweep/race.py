"""A sweep of all combinations whose configurations race: those that are told from the best one get no more seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console

from src.errors import UserError
from src.processes import call
from src.sweep.comparison.racing import FIRST_LOOK
from src.sweep.folder import TrialFolder
from src.sweep.grid import Grid
from src.sweep.heats import Configuration, configuration_of, heats
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import RUNS, Plan, Request, prepare
from src.sweep.publish import planned_entry
from src.sweep.rows import Entry
from src.sweep.settings import Settings
from src.sweep.source import Source
from src.sweep.state import State
from src.sweep.table import Table


class Race:
    """The trials of a grid with `seeds=k`, as many as it takes to tell the best configuration; a `Work`.

    Args:
        requests: of all trials.
        settings: of the sweep; `race` is true.
    """

    def __init__(self, requests: Sequence[Request], settings: Settings) -> None:
        self._grid = Grid(requests, settings)
        self._settings = settings
        self._plan = Plan()
        self._rounds: Rounds | None = None

    def check(self, sweep: str) -> Plan:
        """Plan all trials.

        Args:
            sweep: name of the sweep.

        Raises:
            UserError: a configuration was refused, or there is only one.
        """
        self._plan = self._grid.check(sweep)
        if len(self._configurations()) < 2:
            raise UserError(
                "race=true: there is one configuration; give a key several values, or leave race out."
            )
        return self._plan

    @property
    def slots(self) -> int:
        """The most trials that can run at once: until there is a look, all configurations with each of their seeds."""
        return min(len(self._plan.jobs), FIRST_LOOK * len(self._configurations()))

    def jobs(self) -> list[Job]:
        """Return the trials that the race has come to."""
        return list(self._rounds.handed.values()) if self._rounds else []

    def show(self, console: Console) -> None:
        """Print what would run, and the most and the least of it."""
        self._grid.show(console)
        to_run = [job for job, (action, _) in self._actions() if action in RUNS]
        last = self._settings.seed + FIRST_LOOK
        least = sum(job.config["seed"] < last for job in to_run)
        console.print(
            f"Race: {least} to {len(to_run)} trainings. Each of {len(self._configurations())} configurations has "
            f"{FIRST_LOOK} seeds; those that are then told from the best get no more, the others up to "
            f"{self._settings.seeds}.",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip

    def begin(self, ledger: Ledger, table: Table) -> tuple[Source, int]:
        """Build what the trials share, and return the source of those whose turn it is."""
        actions = self._actions()
        reasons = {job.signature: reason for job, (_, reason) in actions if reason != "new"}
        self._rounds = Rounds(self._plan.jobs, reasons, self._settings, ledger, table)
        if to_run := [job.config for job, (action, _) in actions if action in RUNS]:
            call(prepare, self._settings.trial, to_run)
        return self._rounds, self.slots

    def objectives(self) -> list[float]:
        """Return the objective of each request, NaN where it was not run."""
        return self._grid.objectives()

    def _actions(self) -> list[tuple[Job, tuple[str, str]]]:
        return list(zip(self._plan.jobs, self._plan.actions, strict=True))

    def _configurations(self) -> set[Configuration]:
        return {configuration_of(planned_entry(job)) for job in self._plan.jobs}


class Rounds:
    """Hands out one seed after another to the configurations that are left; a `src.sweep.source.Source`.

    What a look says depends on the figures of the seeds until then, whichever trial ends first. So a slot need not wait
    for the last trials of a round: it begins the next seed of a configuration that has run its own and is behind the
    leader by one standard error at most. One more figure hardly makes such a one drop out; where it does, it has had
    one seed too many, and nothing else is changed.

    Args:
        jobs: of all configurations and seeds.
        reasons: why a job is not simply run, by signature.
        settings: of the sweep.
        ledger: receives a line for each trial whose turn it is.
        table: shows the trials.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        reasons: Mapping[str, str],
        settings: Settings,
        ledger: Ledger,
        table: Table,
    ) -> None:
        self.handed: dict[str, Job] = {}
        self._reasons = reasons
        self._settings = settings
        self._ledger = ledger
        self._table = table
        self._told: set[str] = set()
        self._jobs: dict[tuple[Configuration, int], Job] = {}
        self._entries: dict[str, Entry] = {}
        for job in jobs:
            entry = self._entries[job.signature] = planned_entry(job)
            self._jobs[configuration_of(entry), entry.seed - settings.seed] = job
        self._due: list[Job] = []
        self._left = ""
        self._advance()
        table.heading = self.heading

    def more(self) -> bool:
        """Whether it is a trial's turn."""
        return bool(self._due)

    def next(self) -> Job | None:
        """Return the trial whose turn it is; `None` where those that run decide who goes on."""
        if not self._due:
            return None
        job = self._due.pop(0)
        self.handed[job.signature] = job
        self._table.add(job)
        self._ledger.write(job.signature, State.QUEUED, overrides=list(job.overrides))
        if reason := self._reasons.get(job.signature):
            self._table.say(f"{job.name}: {reason}")
        return job

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Do nothing: configurations are compared by trials that have ended."""

    def ended(self, job: Job) -> None:
        """Take the figure of a trial, and a look where its round is complete."""
        folder = TrialFolder(job.folder)
        state = folder.state() or State.KILLED
        if state is State.INTERRUPTED:
            return  # it says nothing of its configuration: the same command goes on with it
        # One that was lost again and again counts as failed, until the same command goes on with it.
        known = State.FAILED if state.resumable else state
        self._entries[job.signature] = replace(
            self._entries[job.signature], state=known, metrics=folder.metrics()
        )
        self._advance()

    def heading(self) -> str:
        """Return how far the race is."""
        done = sum(self._entries[signature].state is not State.QUEUED for signature in self.handed)
        return f"race: {done} of up to {len(self._jobs)} trainings done; {self._left}"

    def _advance(self) -> None:
        """Tell who has dropped out, and whose turn it is."""
        settings, due = self._settings, []
        entries, rounds, left = list(self._entries.values()), settings.seeds or 0, 0
        for heat in heats(entries, settings.seed, rounds, settings.matters):
            stands = heat.standing
            left += len(stands.left)
            self._tell(heat.dropped())
            turns = [(stands.seeds, index) for index in stands.waits]
            if stands.waits and stands.seeds < FIRST_LOOK:  # none drops out before the first look
                turns = [(number, index) for number in range(FIRST_LOOK) for index in stands.left]
            turns += [(stands.seeds + 1, index) for index in stands.safe]
            due += [(number, heat.configurations[index]) for number, index in turns]
        jobs = [self._jobs[one, number] for number, one in due if (one, number) in self._jobs]
        unique = {job.signature: job for job in jobs if job.signature not in self.handed}
        self._due = list(unique.values())
        self._left = f"{left} configurations left"

    def _tell(self, dropped: Sequence[str]) -> None:
        for text in dropped:
            if text not in self._told:
                self._told.add(text)
                self._table.say(f"race: {text}")
