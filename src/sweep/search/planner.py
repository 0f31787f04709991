"""Plans the proposals of a search, one after another."""

from src.sweep.identity import known_contents
from src.sweep.plan import RUNS, Freezer, Plan, Request, plan, prepare
from src.sweep.protocol import load_trial
from src.sweep.settings import Settings


class Planner:
    """Plans single trials, and builds what they share with others if they have to run.

    What proposals have in common is checked once, but for their inputs, whose content is looked at each time. Runs in a
    child process, since it needs the heavy imports (`src.sweep.kept_process`).

    Args:
        settings: of the sweep.
        sweep: its name.
        shared: overrides of all its trials.
    """

    def __init__(self, settings: Settings, sweep: str, shared: tuple[str, ...]) -> None:
        self._settings = settings
        self._sweep = sweep
        self._shared = shared
        self._freezer = Freezer(load_trial(settings.trial), known_contents(settings.outputs, settings.reuse))

    def __call__(self, request: Request) -> Plan:
        """Plan a trial; its data are there when this returns."""
        self._freezer.look_again()
        found = plan([request], self._settings, self._sweep, self._shared, self._freezer)
        to_run = [
            job.config for job, (action, _) in zip(found.jobs, found.actions, strict=True) if action in RUNS
        ]
        if to_run:
            prepare(self._settings.trial, to_run)
        return found
