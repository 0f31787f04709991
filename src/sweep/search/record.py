"""What a search knows of a point."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from src.sweep.folder import TrialFolder
from src.sweep.learning_curve import LearningCurve
from src.sweep.progress import ProgressReader
from src.sweep.search.space import Point
from src.sweep.state import State


class Outcome(Enum):
    """What became of a point."""

    RUNS = "runs"
    PAUSED = "paused"
    """It goes on if its pruner lets it."""
    PRUNED = "pruned"
    """It does not go on in this search."""
    MEASURED = "measured"
    DIVERGED = "diverged"
    """Worse than all that are measured, without a figure."""
    INTERRUPTED = "interrupted"
    """With its sweep: it goes on with the same command, and until then says nothing about the space."""
    FAILED = "failed"
    """It says nothing about the space: a crash, or a refused configuration."""


@dataclass
class Record:
    """A point and what is known of it.

    Args:
        point: of the space.
        outcome: what became of it.
        loss: the objective, negated where more is better; of measured points only.
        proposed: whether the search proposed it, rather than found it in the outputs.
        curve: of its training.
        number: of its proposal, from 0; −1 where there is none.
    """

    point: Point
    outcome: Outcome = Outcome.RUNS
    loss: float | None = None
    proposed: bool = True
    curve: LearningCurve = field(default_factory=LearningCurve)
    number: int = -1

    @property
    def reached(self) -> float:
        """The loss of a measured point, or else the least of its training so far; infinite where there is none."""
        if self.outcome in (Outcome.DIVERGED, Outcome.FAILED):
            return math.inf
        return self.curve.best if self.loss is None else self.loss

    def at(self, epoch: int) -> float | None:
        """Return the least loss after so many epochs, `None` where the training has not come so far.

        A training that has ended before stays at its loss, one that has diverged at infinity.
        """
        found = None if self.outcome is Outcome.FAILED else self.curve.at(epoch)
        if found is None and self.outcome is Outcome.DIVERGED:
            return math.inf
        return self.loss if found is None else found


def outcome_of(state: State | None, metrics: Mapping[str, Any]) -> tuple[Outcome, float | None]:
    """Return what became of a trial that has ended, and its loss.

    Args:
        state: of the trial.
        metrics: content of its `metrics.json`.
    """
    if state in (State.PAUSED, State.PRUNED):
        return Outcome(str(state)), None
    if state is State.INTERRUPTED:
        return Outcome.INTERRUPTED, None
    if state is State.NAN:
        return Outcome.DIVERGED, None
    objective = metrics.get("objective", {})
    value = float(objective.get("value", math.nan))
    if state is not State.FINISHED or not math.isfinite(value):
        return Outcome.FAILED, None
    return Outcome.MEASURED, value if objective.get("direction") == "min" else -value


def record_of(point: Point, folder: TrialFolder) -> Record:
    """Return what the folder of a trial that has ended says of a point."""
    outcome, loss = outcome_of(folder.state(), folder.metrics())
    curve = LearningCurve.of(ProgressReader(folder.path).new_lines())
    return Record(point, outcome, loss, curve=curve)
