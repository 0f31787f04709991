"""The trials of a search: which points each has, and what is known of them."""

from dataclasses import dataclass, field

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

    def add(self, point: Point, job: Job, outcome: Outcome, loss: float | None, *, proposed: bool) -> None:
        """Add a point that is known, and its trial."""
        self.points.setdefault(job.signature, []).append(point)
        self.study.add(Record(point, outcome, loss, proposed))
        self.table.add(job)
        if proposed:
            self.jobs.setdefault(job.signature, job)

    def tell(self, job: Job, outcome: Outcome, loss: float | None) -> None:
        """Say what became of the points of a trial."""
        for point in self.points.get(job.signature, []):
            self.study.tell(point, outcome, loss)

    def runs(self, signature: str) -> bool:
        """Whether a trial runs or waits."""
        points = self.points.get(signature, [])
        return any(record.outcome is Outcome.RUNS and record.point in points for record in self.study)

    def n_running(self) -> int:
        """Return how many points wait for their trial's end."""
        return sum(record.outcome is Outcome.RUNS for record in self.study)

    def best(self, number: int) -> list[Record]:
        """Return the best of the measured points, at most so many."""
        measured = [record for record in self.study if record.loss is not None]
        return sorted(measured, key=lambda record: record.loss or 0.0)[:number]

    def signature(self, point: Point) -> str:
        """Return the signature of a known point's trial."""
        return next(name for name, points in self.points.items() if point in points)
