"""What a search knows, and what it proposes next, by Optuna's ask and tell.

The study of Optuna is rebuilt for each proposal, from a list of records, and stored nowhere: a search that goes on
after an interruption has the study of one that was never stopped.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from src.sweep.search.record import Outcome, Record
from src.sweep.search.samplers import MODELS, N_STARTUP, fewer, model, seed_of, shares
from src.sweep.search.space import Axis, Choice, Identity, Point, identity

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution


class Study:
    """The records of a search, in the order in which they were proposed.

    Args:
        axes: of the space, those that others depend on first.
        holds: whether an axis holds at a point.
        search: a sampler of `src.sweep.search.samplers`, `auto` resolved.
        seed: of the search.
    """

    def __init__(
        self, axes: tuple[Axis, ...], holds: Callable[[Axis, Point], bool], search: str, seed: int
    ) -> None:
        self._axes = axes
        self._holds = holds
        self._search = search
        self._seed = seed
        self._records: dict[Identity, Record] = {}

    def __contains__(self, point: Point) -> bool:
        return identity(point) in self._records

    def __getitem__(self, point: Point) -> Record:
        return self._records[identity(point)]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Add a point that is not among the records."""
        self._records[identity(record.point)] = record

    def tell(self, point: Point, outcome: Outcome, loss: float | None = None) -> None:
        """Say what became of a point."""
        record = self._records[identity(point)]
        record.outcome, record.loss = outcome, loss

    def ask(self, number: int, attempt: int) -> dict[str, str]:
        """Return the point that is proposed next; it may be one of the records.

        Args:
            number: of the proposal, from 0.
            attempt: how many points were proposed under this number and could not be taken.
        """
        if self._search in MODELS:
            return self._ask_model(seed_of(self._seed, number, attempt))
        found = shares(self._search, self._axes, at_one_level(list(self)), self._seed, number, attempt)
        return self._point(lambda axis: axis.at(found[axis.key]))

    def _ask_model(self, seed: int) -> dict[str, str]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is experimental in Optuna
            study = optuna.create_study(sampler=model(self._search, seed))
            records = list(self) if self._search == "tpe" else fewer(at_one_level(list(self)))
            study.add_trials(_trial(record, self._axes) for record in records)
            trial = study.ask()
            return self._point(lambda axis: _suggest(trial, axis))

    def _point(self, value: Callable[[Axis], str]) -> dict[str, str]:
        """Return the point of the values of those axes that hold, one after another."""
        point: dict[str, str] = {}
        for axis in self._axes:
            if self._holds(axis, point):
                point[axis.key] = value(axis)
        return point


def at_one_level(records: Sequence[Record]) -> list[Record]:
    """Return records as they were after one number of epochs, for samplers that compare figures.

    It is the greatest that enough trials have done, as in BOHB (Falkner et al. 2018); where enough have finished, that
    is their end. Those that have not come so far are left out, but for those that run.
    """
    measured = [record for record in records if record.outcome is Outcome.MEASURED]
    stopped = [record for record in records if record.outcome in (Outcome.PAUSED, Outcome.PRUNED)]
    if len(measured) >= N_STARTUP or not stopped:
        return list(records)
    levels = sorted({record.curve.done for record in stopped}, reverse=True)
    level = next((each for each in levels if len(_known(records, each)) >= N_STARTUP), levels[-1])
    running = [record for record in records if record.outcome is Outcome.RUNS]
    at_level = [
        replace(record, outcome=Outcome.MEASURED, loss=record.at(level)) for record in _known(records, level)
    ]
    return [*at_level, *running]


def _known(records: Sequence[Record], level: int) -> list[Record]:
    """Return the records of trials that do not run now and have a loss after so many epochs."""
    return [
        record
        for record in records
        if record.outcome is not Outcome.RUNS
        and (loss := record.at(level)) is not None
        and math.isfinite(loss)
    ]


def _trial(record: Record, axes: tuple[Axis, ...]) -> "optuna.trial.FrozenTrial":
    """Return a record as Optuna has it.

    TPE ranks those that were stopped behind those that finished, by the epochs that they did and then by loss. One that
    diverged is pruned without a value: TPE ranks it behind all others.
    """
    from optuna.trial import TrialState, create_trial

    states = {
        Outcome.RUNS: TrialState.RUNNING,
        Outcome.PAUSED: TrialState.PRUNED,
        Outcome.PRUNED: TrialState.PRUNED,
        Outcome.MEASURED: TrialState.COMPLETE,
        Outcome.DIVERGED: TrialState.PRUNED,
        Outcome.INTERRUPTED: TrialState.FAIL,
        Outcome.FAILED: TrialState.FAIL,
    }
    held = [axis for axis in axes if axis.key in record.point]
    return create_trial(
        state=states[record.outcome],
        value=record.loss,
        intermediate_values=_last_loss(record),
        params={axis.key: _value(axis, record.point[axis.key]) for axis in held},
        distributions={axis.key: _distribution(axis) for axis in held},
    )


def _last_loss(record: Record) -> dict[int, float]:
    """Return the least loss by the number of epochs done, which is all that TPE reads of a learning curve."""
    curve = record.curve
    return {curve.done: curve.best} if curve.losses and record.outcome is not Outcome.DIVERGED else {}


def _distribution(axis: Axis) -> "BaseDistribution":
    """Return an axis as Optuna has it: a choice by its texts, a range by its places, an interval by its numbers."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(axis, Choice):
        return (
            IntDistribution(0, len(axis.texts) - 1) if axis.ordered else CategoricalDistribution(axis.texts)
        )
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def _value(axis: Axis, text: str) -> Any:
    """Return a value as Optuna has it."""
    if isinstance(axis, Choice):
        return axis.texts.index(text) if axis.ordered else text
    return int(text) if axis.whole else float(text)


def _suggest(trial: "optuna.trial.Trial", axis: Axis) -> str:
    """Return the value that Optuna suggests, as an override has it."""
    if isinstance(axis, Choice) and not axis.ordered:
        return str(trial.suggest_categorical(axis.key, axis.texts))
    if isinstance(axis, Choice):
        return axis.texts[trial.suggest_int(axis.key, 0, len(axis.texts) - 1)]
    if axis.whole:
        return axis.text(trial.suggest_int(axis.key, int(axis.low), int(axis.high), log=axis.log))
    return axis.text(trial.suggest_float(axis.key, axis.low, axis.high, log=axis.log))
