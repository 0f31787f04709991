"""What a search knows of a point."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from src.sweep.search.space import Point
from src.sweep.state import State


class Outcome(Enum):
    """What became of a point."""

    RUNS = "runs"
    MEASURED = "measured"
    DIVERGED = "diverged"
    """Worse than all that are measured, without a figure."""
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
    """

    point: Point
    outcome: Outcome = Outcome.RUNS
    loss: float | None = None
    proposed: bool = True


def outcome_of(state: State | None, metrics: Mapping[str, Any]) -> tuple[Outcome, float | None]:
    """Return what became of a trial that has ended, and its loss.

    Args:
        state: of the trial.
        metrics: content of its `metrics.json`.
    """
    if state is State.NAN:
        return Outcome.DIVERGED, None
    objective = metrics.get("objective", {})
    value = float(objective.get("value", math.nan))
    if state is not State.FINISHED or not math.isfinite(value):
        return Outcome.FAILED, None
    return Outcome.MEASURED, value if objective.get("direction") == "min" else -value
