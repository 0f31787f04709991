"""Where a search goes on: tells the study what earlier commands found out, and queues what they left."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from src.errors import UserError
from src.processes import call
from src.sweep.folder import TrialFolder
from src.sweep.job import Job
from src.sweep.learning_curve import LearningCurve
from src.sweep.plan import RUNS, Request, plan
from src.sweep.search.budget import Spent
from src.sweep.search.history import Past
from src.sweep.search.proposing import Search
from src.sweep.search.record import Outcome, Record, record_of
from src.sweep.search.space import Point
from src.sweep.search.trials import Trials
from src.sweep.state import State


def recall(past: Sequence[Past], search: Search, trials: Trials) -> deque[Job]:
    """Add what is known to the trials of a search, and return those that have not finished.

    Args:
        past: points of earlier commands.
        search: what it consists of.
        trials: still without any.
    """
    left: deque[Job] = deque()
    requests = [request for each in past if (request := _request(each.point, search))]
    if not requests:
        return left
    planned = call(plan, requests, search.settings, search.sweep, search.space.fixed)
    signatures = dict(zip(planned.overrides, planned.signatures, strict=True))
    jobs = {
        job.signature: (job, action) for job, (action, _) in zip(planned.jobs, planned.actions, strict=True)
    }
    for each in past:
        signature = signatures.get(search.space.overrides(each.point))
        if signature is not None and (job := _recall(each, *jobs[signature], search, trials)):
            left.append(job)
    return left


def _request(point: Point, search: Search) -> Request | None:
    try:
        return search.request(search.space.overrides(point))
    except UserError:
        return None  # of an earlier version, which is refused now


def _recall(past: Past, job: Job, action: str, search: Search, trials: Trials) -> Job | None:
    """Add a point, and return its trial if it has to run and is not queued yet."""
    if not past.proposed and action != "reuse":
        return None  # the trial of another sweep, which has not finished
    known = record_of(past.point, TrialFolder(job.folder))
    stopped = known.outcome in (Outcome.PAUSED, Outcome.PRUNED)
    runs = action in RUNS and not (stopped and action == "resume" and search.settings.pruner != "none")
    record = replace(known, proposed=past.proposed, number=past.number)
    if runs:
        record = replace(record, outcome=Outcome.RUNS, loss=None)
        record.curve = record.curve if action == "resume" else LearningCurve(record.curve.epochs)
    again = job.signature in trials.points
    trials.add(record, job)
    if past.ran or (runs and not again):
        _count(search.spent, job.signature, record)
    if again:
        return None
    state = str(TrialFolder(job.folder).state())
    told = State.QUEUED if runs else "reused" if action == "reuse" else state
    trials.ledger.write(job.signature, told, overrides=list(job.overrides))
    trials.table.update(job.signature, state=told)
    return job if runs else None


def _count(spent: Spent, signature: str, record: Record) -> None:
    """Count a trial of an earlier command with its epochs."""
    curve = record.curve
    spent.begins(signature)
    if curve.epochs:
        spent.progresses(signature, curve.done, curve.epochs)
    if record.outcome is not Outcome.RUNS:
        spent.ends(signature)
