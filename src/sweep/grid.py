"""A sweep of all combinations: its trials are known before the first one starts."""

import math
from collections.abc import Sequence

from rich.console import Console

from src.errors import SeveralProblemsError
from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import RUNS, Plan, Request, plan, prepare
from src.sweep.publish import check_reference, print_plan
from src.sweep.settings import Settings
from src.sweep.source import Listed, Source
from src.sweep.state import State
from src.sweep.table import Table


class Grid:
    """All requested trials.

    Args:
        requests: of the trials.
        settings: of the sweep.
    """

    def __init__(self, requests: Sequence[Request], settings: Settings) -> None:
        self._requests = requests
        self._settings = settings
        self._plan = Plan()

    def check(self, sweep: str) -> Plan:
        """Plan all trials.

        Args:
            sweep: name of the sweep.

        Raises:
            UserError: a configuration was refused.
        """
        self._plan = call(plan, self._requests, self._settings, sweep)
        if self._plan.problems:
            raise SeveralProblemsError(self._plan.problems)
        check_reference(self._plan, self._settings.reference)
        return self._plan

    @property
    def slots(self) -> int:
        """The most trials that can run at once."""
        return len(self._plan.jobs)

    def jobs(self) -> list[Job]:
        """Return all trials."""
        return self._plan.jobs

    def show(self, console: Console) -> None:
        """Print what would run."""
        print_plan(self._plan, console)

    def begin(self, ledger: Ledger, table: Table) -> tuple[Source, int]:
        """Write all trials to the ledger, and build what those that are to run share.

        Returns:
            Those that are to run, and how many they are.
        """
        for job, (action, reason) in zip(self._plan.jobs, self._plan.actions, strict=True):
            state = {"reuse": "reused", "leave": str(TrialFolder(job.folder).state())}.get(
                action, State.QUEUED
            )
            ledger.write(job.signature, state, overrides=list(job.overrides))
            table.update(job.signature, state=state)
            if action != "run" or reason != "new":
                table.say(f"{job.name}: {reason}")
        pairs = zip(self._plan.jobs, self._plan.actions, strict=True)
        to_run = [job for job, (action, _) in pairs if action in RUNS]
        if to_run:
            call(prepare, self._settings.trial, [job.config for job in to_run])
        return Listed(to_run), len(to_run)

    def objectives(self) -> list[float]:
        """Return the objective of each request, NaN where there is none."""
        runs = self._settings.outputs / "runs"
        found = [TrialFolder(runs / signature).metrics() for signature in self._plan.signatures]
        return [float(metrics.get("objective", {}).get("value", math.nan)) for metrics in found]
