"""What a search may spend: trials, hours, epochs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from src.errors import UserError
from src.sweep.search.space import Space

HOUR_S = 3600.0


@dataclass(frozen=True)
class Budget:
    """The limits of a search; `None` is none.

    Args:
        n_trials: that it runs, those of earlier commands of the same search included.
        max_hours: after which no trial begins; each command has them anew.
        max_epochs_total: of all its trials, those of earlier commands of the same search included.
    """

    n_trials: int | None = None
    max_hours: float | None = None
    max_epochs_total: int | None = None

    def __str__(self) -> str:
        limits = {"trials": self.n_trials, "hours": self.max_hours, "epochs": self.max_epochs_total}
        told = [f"{limit:g} {what}" for what, limit in limits.items() if limit is not None]
        return ", ".join(told) or "all configurations"

    def check(self, search: str, space: Space, n_conditional: int) -> None:
        """Refuse a search without end, and one that can't try each of its conditional axes.

        Raises:
            UserError: there is no budget and the space is not finite, or there are fewer trials than conditional axes.
        """
        if space.size is None and self == Budget():
            raise UserError(
                f"search={search}: an interval has no end of values; add n_trials=20, max_hours= or max_epochs_total=."
            )
        if self.n_trials is not None and self.n_trials < n_conditional:
            raise UserError(
                f"n_trials={self.n_trials}: {n_conditional} axes hold for some choices only; give more trials "
                "than that."
            )


class Spent:
    """What a search has spent of its budget.

    Args:
        budget: its limits.
        clock: returns seconds.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._begun = clock()
        self._done: dict[str, int] = {}
        self._planned: dict[str, int] = {}
        self.most_epochs = 1
        """Of a whole trial, as far as is known."""

    @property
    def n_trials(self) -> int:
        """Trials that have begun."""
        return len(self._done)

    def begins(self, trial: str) -> None:
        """Count a trial."""
        self._done.setdefault(trial, 0)

    def progresses(self, trial: str, done: int, epochs: int, until: int | None = None) -> None:
        """Note that a trial has done `done` of its `epochs`, and runs until it has done `until`, by default all."""
        self._done[trial], self._planned[trial] = done, until or epochs
        self.most_epochs = max(self.most_epochs, epochs)

    def ends(self, trial: str) -> None:
        """Note that a trial does no more epochs."""
        self._planned.pop(trial, None)

    def left(self, cost: int | None = None) -> bool:
        """Whether another trial may begin.

        Of epochs, those of trials that run count as far as they are planned; until a trial has told how many it has,
        they are not known, and trials begin.

        Args:
            cost: epochs that it takes; `None`: the most seen.
        """
        budget = self._budget
        if budget.n_trials is not None and self.n_trials >= budget.n_trials:
            return False
        if budget.max_hours is not None and self._clock() - self._begun >= budget.max_hours * HOUR_S:
            return False
        return self.affords(self.most_epochs if cost is None else cost)

    def affords(self, epochs: int) -> bool:
        """Whether so many epochs are left."""
        return self._budget.max_epochs_total is None or self._epochs_left() >= epochs

    def __str__(self) -> str:
        """What is left, as a line says it; empty without a budget."""
        budget, told = self._budget, []
        if budget.n_trials is not None:
            told.append(f"{max(0, budget.n_trials - self.n_trials)} of {budget.n_trials} trials")
        if budget.max_hours is not None:
            hours = max(0.0, budget.max_hours - (self._clock() - self._begun) / HOUR_S)
            told.append(f"{hours:.2g} of {budget.max_hours:g} hours")
        if budget.max_epochs_total is not None:
            told.append(f"{max(0, self._epochs_left())} of {budget.max_epochs_total} epochs")
        return "left: " + ", ".join(told) if told else ""

    def _epochs_left(self) -> int:
        taken = sum(self._planned.get(trial, done) for trial, done in self._done.items())
        return (self._budget.max_epochs_total or 0) - taken
