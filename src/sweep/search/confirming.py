"""Runs the best configurations of a search again, with fresh seeds."""

from dataclasses import replace

from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.plan import RUNS, plan
from src.sweep.search.proposing import Search
from src.sweep.search.space import Point, Space
from src.sweep.search.trials import Trials
from src.sweep.state import State

N_FRESH = 3
"""Seeds with which a configuration is confirmed: those after the search's own."""


def confirmations(search: Search, trials: Trials) -> list[Job]:
    """Return the trials of the best configurations with fresh seeds, as many as have to run.

    Args:
        search: what it consists of.
        trials: those that are known; the others are added.
    """
    best = trials.best(search.settings.confirm)
    seeds = range(search.settings.seed + 1, search.settings.seed + 1 + N_FRESH)
    requests = [search.request(_with_seed(search.space, each.point, seed)) for each in best for seed in seeds]
    if not requests:
        return []
    planned = call(plan, requests, replace(search.settings, test=True), search.sweep, search.space.fixed)
    run = "the best one runs" if len(best) == 1 else f"its {len(best)} best run"
    trials.table.say(f"search: {run} again, with seed={','.join(map(str, seeds))}")
    for job, (action, _) in zip(planned.jobs, planned.actions, strict=True):
        _note(job, action, trials)
    pairs = zip(planned.jobs, planned.actions, strict=True)
    return [job for job, (action, _) in pairs if action in RUNS]


def _note(job: Job, action: str, trials: Trials) -> None:
    left = str(TrialFolder(job.folder).state())  # one that has failed, without retry=true
    state = State.QUEUED if action in RUNS else "reused" if action == "reuse" else left
    trials.table.add(job)
    trials.jobs.setdefault(job.signature, job)
    trials.ledger.write(job.signature, state, overrides=list(job.overrides), confirms=True)
    trials.table.update(job.signature, state=state)


def _with_seed(space: Space, point: Point, seed: int) -> tuple[str, ...]:
    """Return the overrides of a point with another seed."""
    others = (text for text in space.overrides(point) if text.lstrip("+").partition("=")[0] != "seed")
    return (*others, f"seed={seed}")
