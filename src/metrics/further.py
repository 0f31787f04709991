"""Metrics and baselines that a file of its own adds to a kind of targets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from src.metrics.baseline_data import BaselineData

Answer = Callable[[BaselineData], tuple[Tensor, Tensor]]
Score = Callable[[Tensor, Any, Any], float]


@dataclass(frozen=True)
class Metric:
    """A number that outputs and targets are scored by.

    Attributes:
        score: from outputs (N, C), targets as the kind takes them, and the threshold above which something is
            answered (0.5 where nothing is tuned) to the number.
        best: `max` or `min`.
    """

    score: Score
    best: str


METRICS: dict[str, dict[str, Metric]] = {}
"""By kind of targets, then by name."""

BASELINES: dict[str, dict[str, Answer]] = {}
"""By kind of targets, then by name."""


def metric(*kinds: str, best: str = "max") -> Callable[[Score], Score]:
    """Add a function to the metrics of some kinds of targets, under its own name; a decorator.

    A trial can be judged by it, `objective=<name>`; networks and baselines are measured by it on every split.

    Args:
        kinds: keys of `src.metrics.kinds.KINDS`.
        best: `max` or `min`.
    """
    assert best in ("max", "min")

    def add(score: Score) -> Score:
        for kind in kinds:
            METRICS.setdefault(kind, {})[score.__name__] = Metric(score, best)
        return score

    return add


def baseline(*kinds: str) -> Callable[[Answer], Answer]:
    """Add a function to the baselines of some kinds of targets, under its own name; a decorator.

    The function takes the splits of a data set and returns outputs (N, C) on `val` and on `test`.

    Args:
        kinds: keys of `src.metrics.kinds.KINDS`.
    """

    def add(answer: Answer) -> Answer:
        for kind in kinds:
            BASELINES.setdefault(kind, {})[answer.__name__] = answer
        return answer

    return add


def further_metrics(kind: str, outputs: Tensor, targets: Any, threshold: Any = 0.5) -> dict[str, float]:
    """Score by the metrics that were added to a kind of targets.

    Args:
        kind: of targets.
        outputs: (N, C).
        targets: of N items, as the kind takes them.
        threshold: one, or (C,).
    """
    return {
        name: float(each.score(outputs, targets, threshold)) for name, each in METRICS.get(kind, {}).items()
    }
