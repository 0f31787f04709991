"""The trials of a search: which points each has, and what is known of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.search.record import Outcome, Record
from src.sweep.search.space import Point
from src.sweep.search.study import Study
from src.sweep.table import Table


@dataclass
class Trials:
    """The trials of a search.

    Args:
        study: what is known of the space.
        ledger: receives a line for each proposal.
        table: shows the trials.
        jobs: those that the search proposed or confirms, by signature.
        points: of the trials that are known, by signature; points that differ in what has no effect have one trial.
    """

    study: Study
    ledger: Ledger
    table: Table
    jobs: dict[str, Job] = field(default_factory=dict)
    points: dict[str, list[Point]] = field(default_factory=dict)

    def add(self, record: Record, job: Job) -> None:
        """Add a point that is known, and its trial."""
        self.points.setdefault(job.signature, []).append(record.point)
        self.study.add(record)
        self.table.add(job)
        if record.proposed:
            self.jobs.setdefault(job.signature, job)

    def tell(self, job: Job, outcome: Outcome, loss: float | None) -> None:
        """Say what became of the points of a trial."""
        for point in self.points.get(job.signature, []):
            self.study.tell(point, outcome, loss)

    def progressed(self, job: Job, progress: Mapping[str, Any]) -> None:
        """Add an epoch to the learning curve of a trial."""
        for point in self.points[job.signature]:
            self.study[point].curve.add(progress)

    def record(self, signature: str) -> Record:
        """Return the record of a trial, of several points that of the first one."""
        return self.study[self.points[signature][0]]

    def n_running(self) -> int:
        """Return how many points wait for their trial's end."""
        return sum(record.outcome is Outcome.RUNS for record in self.study)

    def n_paused(self) -> int:
        """Return how many points have a paused trial."""
        return sum(record.outcome is Outcome.PAUSED for record in self.study)

    def n_interrupted(self) -> int:
        """Return how many points have a trial that was interrupted."""
        return sum(record.outcome is Outcome.INTERRUPTED for record in self.study)

    def best(self, number: int) -> list[Record]:
        """Return the best of the measured points, at most so many."""
        measured = [record for record in self.study if record.loss is not None]
        return sorted(measured, key=lambda record: record.reached)[:number]

    def best_so_far(self) -> Record | None:
        """Return the best of all points, after as many epochs as they have done, `None` before the first epoch."""
        best = min(self.study, key=lambda record: record.reached, default=None)
        return best if best and math.isfinite(best.reached) else None

    def signature(self, point: Point) -> str:
        """Return the signature of a known point's trial."""
        return next(name for name, points in self.points.items() if point in points)
