"""Settings of a sweep."""

from dataclasses import dataclass
from pathlib import Path

from src.sweep.search.space import Axis


@dataclass(frozen=True)
class Settings:
    """Settings of a sweep; each is a key of the command line, `axes` those that are searched.

    Args:
        outputs: folder of all outputs.
        trial: import path of the trial's module, a `src.sweep.protocol.Trial`.
        name: of the sweep's folder in `outputs/sweeps`; `None`: date and time.
        dry_run: whether to print the trials and stop.
        retry: whether to run failed trials again; `fresh`: from the beginning.
        reuse: results of which code count as finished: `same_code`, `any`, or `verify`: those of the same code whose
            inputs, read again, are the same.
        timeout: seconds that a trial may take.
        matters: the smallest difference worth a look, in the objective's unit; `None`: the metric's own.
        reference: swept values of the row that others are compared with; `None`: the best on validation.
        search: a sampler of `src.sweep.search.samplers`, or `grid` for all combinations.
        n_trials, max_hours, max_epochs_total: the budget of a search, see `src.sweep.search.budget`.
        pruner: of a search, one of `src.sweep.search.pruners`, or `none`.
        min_epochs: after which it stops a trial at the earliest.
        reduction_factor: of `asha` and `hyperband`.
        confirm: how many of a search's best configurations run again with fresh seeds.
        seeds: how many seeds each configuration of a grid has, those from `seed` on; `None`: as `seed` says.
        race: whether configurations that are told from the best one get no more seeds.
        seed: the first one; of a search that of its sampler, too.
        test: whether trials are measured on test, too.
        axes: of a search; a grid has none.
    """

    outputs: Path
    trial: str
    name: str | None = None
    dry_run: bool = False
    retry: bool | str = False
    reuse: str = "same_code"
    timeout: float | None = None
    matters: float | None = None
    reference: str | None = None
    search: str = "grid"
    n_trials: int | None = None
    max_hours: float | None = None
    max_epochs_total: int | None = None
    pruner: str = "none"
    min_epochs: int = 1
    reduction_factor: int = 3
    confirm: int = 0
    seeds: int | None = None
    race: bool = False
    seed: int = 1
    axes: tuple[Axis, ...] = ()
    test: bool = True
