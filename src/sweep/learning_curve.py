"""The learning curve of a trial: how good it was after each epoch."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class LearningCurve:
    """The least loss so far after each epoch, where a loss is the objective, negated where more is better.

    Args:
        epochs: how many the trial has in total, 0 where that is not known.
        losses: by the number of epochs done; infinite until there is a finite one.
        direction: whether the best value of the objective is its `min` or `max`.
    """

    epochs: int = 0
    losses: dict[int, float] = field(default_factory=dict)
    direction: str = "max"

    @classmethod
    def of(cls, lines: Iterable[Mapping[str, Any]]) -> "LearningCurve":
        """Return the curve of the lines of a `progress.jsonl`."""
        curve = cls()
        for line in lines:
            curve.add(line)
        return curve

    def add(self, progress: Mapping[str, Any]) -> None:
        """Add an epoch; one that is known may come again.

        Args:
            progress: `epoch`, `epochs`, `objective` (None or not finite where it diverged) and `direction`.
        """
        self.epochs, self.direction = int(progress["epochs"]), str(progress.get("direction", "max"))
        value = progress["objective"]
        finite = value is not None and math.isfinite(value)
        loss = (value if self.direction == "min" else -value) if finite else math.inf
        epoch = int(progress["epoch"])
        before = max((each for each in self.losses if each < epoch), default=None)
        self.losses[epoch] = loss if before is None else min(loss, self.losses[before])

    @property
    def done(self) -> int:
        """Number of epochs done."""
        return max(self.losses, default=0)

    @property
    def best(self) -> float:
        """The least loss so far, infinite where there is none."""
        return self.losses[self.done] if self.losses else math.inf

    def at(self, epoch: int) -> float | None:
        """Return the least loss after so many epochs, `None` where they are not done yet."""
        if epoch in self.losses:
            return self.losses[epoch]
        if self.done < epoch:
            return None
        return self.losses[max((each for each in self.losses if each <= epoch), default=min(self.losses))]
