"""Registries of further metrics and baselines, which files of their own add to kinds of targets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from src.metrics.baseline_data import BaselineData

Answer = Callable[[BaselineData], tuple[Tensor, Tensor]]
Score = Callable[[Tensor, Any, Any], float]


@dataclass(frozen=True)
class Metric:
    """A scalar metric.

    Attributes:
        score: maps outputs (N, C), targets in the form of their kind, and the decision threshold (0.5 where none is
            tuned) to the value.
        best: `max` or `min`, which values are best.
    """

    score: Score
    best: str


METRICS: dict[str, dict[str, Metric]] = {}
"""By kind of targets, then by name."""

BASELINES: dict[str, dict[str, Answer]] = {}
"""By kind of targets, then by name."""


def metric(*kinds: str, best: str = "max") -> Callable[[Score], Score]:
    """Register a function as a metric of some kinds of targets, by its name; a decorator.

    Networks and baselines are measured by it on every split, and it can be the objective (`objective=<name>`).

    Args:
        kinds: keys of `src.metrics.kinds.KINDS`.
        best: `max` or `min`, which values are best.
    """
    assert best in ("max", "min")

    def add(score: Score) -> Score:
        for kind in kinds:
            METRICS.setdefault(kind, {})[score.__name__] = Metric(score, best)
        return score

    return add


def baseline(*kinds: str) -> Callable[[Answer], Answer]:
    """Register a function as a baseline of some kinds of targets, by its name; a decorator.

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
    """Compute the registered metrics of a kind of targets.

    Args:
        kind: of targets.
        outputs: (N, C).
        targets: of the N items, in the form of their kind.
        threshold: one for all columns, or (C,).
    """
    return {
        name: float(each.score(outputs, targets, threshold)) for name, each in METRICS.get(kind, {}).items()
    }
