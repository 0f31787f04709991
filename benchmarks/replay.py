"""How many epochs a search needs for the answer of a grid: samplers and pruners, replayed on learning curves.

    python benchmarks/replay.py synth_instruments --repetitions 100

The curves are those of a grid that was run to the end once: 3 optimizers × 2 losses × 9 learning rates × 3 seeds
(`benchmarks/learning_curves/`; docs/results/search.md has the commands). A search is replayed with the project's own
proposals, limits, promotions and budget, on one slot; what is replaced is the training: a trial reads its losses from
the table. In each repetition each configuration has another one of its seeds. A learning rate from an interval lies
between two of the grid, and its curve between theirs.

Printed for each sampler and pruner:
- the share of the epochs of the grid with one seed until a configuration is trained to the end that is within .003
  of the grid's best (means over the seeds, on validation), median and 90 % quantile; `never` where that many searches
  train none;
- with ¼ and ⅛ of those epochs, in how many searches the configuration that the confirmation puts first is as good as
  the grid's best, but for one standard deviation over seeds. The best three are confirmed with the seeds that the
  search did not see, which costs the epochs of 9 trainings more, as in a real search.
"""

import argparse
import csv
import math
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from src.sweep.job import Job
from src.sweep.search.budget import Budget, Spent
from src.sweep.search.promoting import Promotion
from src.sweep.search.proposals import Proposals
from src.sweep.search.proposing import MOST_KNOWN
from src.sweep.search.pruners.by_name import pruner
from src.sweep.search.record import Outcome, Record
from src.sweep.search.samplers import seed_of
from src.sweep.search.space import Axis, Choice, Interval, Point, Space
from src.sweep.search.study import Study
from src.sweep.search.trials import Trials

Floats = NDArray[np.float64]

CURVES = Path(__file__).parent / "learning_curves"
KEYS = ("optimizer", "loss", "optimizer.lr")
SAMPLERS = ("random", "qmc", "tpe", "gp")
"""Without CMA-ES, which needs two numbers."""

PRUNERS = ("none", "median", "asha", "hyperband", "first_epoch")
CONFIRM = 3
NEAR = 0.003
"""Within which a configuration is as good as the grid's best."""


@dataclass(frozen=True)
class Grid:
    """The learning curves of a grid.

    Args:
        values: of each key.
        curves: the objective on validation, greater is better, (optimizers, losses, rates, seeds, epochs); NaN after a
            trial diverged.
    """

    values: tuple[tuple[str, ...], ...]
    curves: Floats

    @classmethod
    def read(cls, name: str) -> "Grid":
        """Return that of a table in `benchmarks/learning_curves/`."""
        with (CURVES / f"{name}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        values = tuple(tuple(dict.fromkeys(row[key] for row in rows)) for key in (*KEYS, "seed"))
        n_epochs = sum(column.startswith("epoch_") for column in rows[0])
        curves = np.full((*map(len, values), n_epochs), math.nan)
        for row in rows:
            place = tuple(of_key.index(row[key]) for of_key, key in zip(values, (*KEYS, "seed"), strict=True))
            told = [row[f"epoch_{epoch}"] for epoch in range(1, n_epochs + 1)]
            curves[place] = [float(value) if value else math.nan for value in told]
        return cls(values, curves)

    @property
    def n_epochs(self) -> int:
        """Epochs of a training."""
        return self.curves.shape[-1]

    @property
    def n_configurations(self) -> int:
        """Configurations of the grid."""
        return int(np.prod(self.curves.shape[:3]))

    @cached_property
    def objectives(self) -> Floats:
        """The best epoch's objective of each trial, (optimizers, losses, rates, seeds); −inf where it diverged."""
        diverged = np.isnan(self.curves).any(-1)
        return np.where(diverged, -math.inf, np.nan_to_num(self.curves, nan=-math.inf).max(-1))

    @cached_property
    def best(self) -> float:
        """The mean over seeds of the best configuration."""
        return float(self.objectives.mean(-1).max())

    @cached_property
    def deviation(self) -> float:
        """The standard deviation over seeds, pooled over the best sixth of the configurations."""
        flat = self.objectives.reshape(-1, self.objectives.shape[-1])
        best = flat[np.argsort(-flat.mean(-1))][: len(flat) // 6]
        return float(np.sqrt(best.var(-1, ddof=1).mean()))

    @property
    def n_near(self) -> int:
        """Configurations that are as good as the best one."""
        return int((self.objectives.mean(-1) >= self.best - NEAR).sum())

    def correlations(self, rungs: Sequence[int]) -> dict[int, float]:
        """Return Spearman's rank correlation of the means after some epochs with those of the end."""
        means, curves = self.objectives.mean(-1).ravel(), np.nan_to_num(self.curves, nan=-math.inf)
        return {
            rung: float(spearmanr(curves[..., :rung].max(-1).mean(-1).ravel(), means).statistic)
            for rung in rungs
        }

    def space(self, *, interval: bool) -> tuple[Axis, ...]:
        """Return the axes: learning rates from an interval, or those of the grid."""
        *choices, rates = self.values[:3]
        axes: list[Axis] = [Choice(key, of_key) for key, of_key in zip(KEYS, choices, strict=False)]
        numbers = [float(rate) for rate in rates]
        lr = Interval(KEYS[2], min(numbers), max(numbers), log=True) if interval else Choice(KEYS[2], rates)
        return (*axes, lr)

    def between(self, point: Point) -> tuple[tuple[int, int], int, int, float]:
        """Return optimizer and loss of a point, the places of the rates around its own, and the upper one's share."""
        place = self.values[0].index(point[KEYS[0]]), self.values[1].index(point[KEYS[1]])
        rates = np.log([float(rate) for rate in self.values[2]])
        rate = float(np.clip(math.log(float(point[KEYS[2]])), rates[0], rates[-1]))
        above = max(1, int(np.searchsorted(rates, rate)))
        return place, above - 1, above, float((rate - rates[above - 1]) / (rates[above] - rates[above - 1]))

    def mixed(self, point: Point, table: Floats, seeds: Sequence[int]) -> Floats:
        """Return what a table of trials has at a point, between its two learning rates.

        Args:
            point: of the space.
            table: (optimizers, losses, rates, seeds, …).
            seeds: which seed of the rate below, and which of that above.
        """
        place, below, above, share = self.between(point)
        if share == 0:
            return np.asarray(table[(*place, below, seeds[0])])
        if share == 1:
            return np.asarray(table[(*place, above, seeds[1])])
        low, high = table[(*place, below, seeds[0])], table[(*place, above, seeds[1])]
        return np.asarray((1 - share) * low + share * high)


@dataclass
class Replay:
    """One search on the curves of a grid.

    Args:
        grid: whose curves they are.
        sampler: of the search.
        pruner: its name.
        budget: epochs; trials are at most as many as the grid has.
        seed: of the search, and of the choice of seeds.
        interval: whether learning rates come from an interval.
    """

    grid: Grid
    sampler: str
    pruner: str
    budget: int
    seed: int
    interval: bool

    def run(self) -> "tuple[list[tuple[int, Point]], Trials]":
        """Return the points trained to the end, each with the epochs spent until then, and what is known at the end."""
        axes = self.grid.space(interval=self.interval)
        study = Study(axes, _always, self.sampler, self.seed)
        trials = Trials(study, _Nothing(), _Nothing())  # type: ignore[arg-type]
        spent = Spent(Budget(n_trials=self.grid.n_configurations, max_epochs_total=self.budget))
        spent.most_epochs = self.grid.n_epochs
        proposer = _Proposer(Space(axes), trials, spent, self.seed)
        promotion = _Promotion(trials, spent, pruner(self.pruner, 1, 3), CONFIRM)
        source = Proposals(trials, proposer, promotion)  # type: ignore[arg-type]
        finished, n_spent = [], 0
        while job := source.next():
            record = trials.record(job.signature)
            before = record.curve.done
            outcome = self._train(source, job, record)
            n_spent += record.curve.done - before
            if outcome is Outcome.MEASURED:
                finished.append((n_spent, record.point))
            trials.tell(job, outcome, record.curve.best if outcome is Outcome.MEASURED else None)
            spent.ends(job.signature)
            promotion.ended(job.signature)
        return finished, trials

    def seeds(self, point: Point) -> list[int]:
        """Return which seed each of the two rates around a point has in this search."""
        place, below, above, _ = self.grid.between(point)
        n_seeds = self.grid.curves.shape[3]
        return [zlib.crc32(f"{self.seed} {place} {rate}".encode()) % n_seeds for rate in (below, above)]

    def confirmed(self, trials: Trials) -> Point | None:
        """Return the best of the best three by the seeds that the search did not see."""

        def fresh(record: Record) -> float:
            own, n_seeds = self.seeds(record.point), self.grid.curves.shape[3]
            others = [[(one + more) % n_seeds for one in own] for more in range(1, n_seeds)]
            return float(
                np.mean([self.grid.mixed(record.point, self.grid.objectives, seeds) for seeds in others])
            )

        best = trials.best(CONFIRM)
        return max(best, key=fresh).point if best else None

    def mean(self, point: Point) -> float:
        """Return the mean over seeds of a point."""
        n_seeds = self.grid.curves.shape[3]
        return float(
            np.mean([self.grid.mixed(point, self.grid.objectives, (seed, seed)) for seed in range(n_seeds)])
        )

    def _train(self, source: Proposals, job: Job, record: Record) -> Outcome:
        losses = self.grid.mixed(record.point, self.grid.curves, self.seeds(record.point))
        for done in range(record.curve.done + 1, self.grid.n_epochs + 1):
            value = float(losses[done - 1])
            progress = {"epoch": done, "epochs": self.grid.n_epochs, "objective": value, "direction": "max"}
            source.progressed(job, progress)
            if math.isnan(value):
                return Outcome.DIVERGED
            limits = job.limits
            if done < self.grid.n_epochs and limits and limits.stop(done - 1, done, record.curve.best):
                return Outcome.PRUNED if limits.reason == "pruned" else Outcome.PAUSED
        return Outcome.MEASURED


def _always(_axis: Axis, _point: Point) -> bool:
    return True


def _do_nothing(*_: object, **__: object) -> None:
    """Do nothing."""


class _Nothing:
    """In place of a ledger and a table."""

    console = SimpleNamespace(is_terminal=True)

    def __getattr__(self, name: str) -> Any:
        return _do_nothing


class _Promotion(Promotion):
    """One whose trials have no folder: on one slot, limits do not change while a trial runs."""

    def update(self) -> None:
        """Do nothing."""


@dataclass
class _Proposer:
    """Proposes points, without planning them."""

    space: Space
    trials: Trials
    spent: Spent
    seed: int
    number: int = 0
    exhausted: bool = False

    @property
    def search(self) -> Any:
        return SimpleNamespace(spent=self.spent, settings=SimpleNamespace(confirm=0, pruner="none", seed=1))

    def propose(self) -> Job | None:
        point = self._new()
        if point is None:
            self.exhausted = True
            return None
        job = Job(str(self.number), {}, (), Path(), "", "")
        self.spent.begins(job.signature)
        self.trials.add(Record(point, number=self.number), job)
        self.number += 1
        return job

    def _new(self) -> Point | None:
        for attempt in range(MOST_KNOWN):
            point = self.trials.study.ask(self.number, attempt)
            if point not in self.trials.study:
                return point
        if self.space.size is None:
            return None
        new = [point for point in self.space.all() if point not in self.trials.study]
        return new[seed_of(self.seed, self.number, MOST_KNOWN) % len(new)] if new else None


def measured(grid: Grid, sampler: str, rule: str, interval: bool, seed: int) -> tuple[float, bool, bool]:
    """Return the share of epochs until a configuration near the best is trained, and whether ¼ and ⅛ find the best."""
    epochs = grid.n_configurations * grid.n_epochs
    whole = Replay(grid, sampler, rule, epochs, seed, interval)
    near = (spent for spent, point in whole.run()[0] if whole.mean(point) >= grid.best - NEAR)
    share = next(near, math.inf) / epochs
    found = []
    for part in (4, 8):
        replay = Replay(grid, sampler, rule, epochs // part, seed, interval)
        pick = replay.confirmed(replay.run()[1])
        found.append(pick is not None and replay.mean(pick) >= grid.best - grid.deviation)
    return share, found[0], found[1]


def _told(share: float) -> str:
    return f"{share:.3f}" if math.isfinite(share) else "never"


def main() -> None:
    """Replay all samplers and pruners, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", choices=sorted(path.stem for path in CURVES.glob("*.csv")))
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=["random", "qmc", "tpe"])
    parser.add_argument("--pruners", nargs="+", choices=PRUNERS, default=PRUNERS)
    parser.add_argument("--rates", nargs="+", choices=("listed", "interval"), default=["listed", "interval"])
    options = parser.parse_args()
    grid = Grid.read(options.grid)
    print(
        f"{options.grid}: {grid.n_configurations} configurations of {grid.n_epochs} epochs, best {grid.best:.4f},",
        end=" ",
    )
    print(f"standard deviation over seeds {grid.deviation:.4f}; {options.repetitions} searches each")
    print(
        f"{grid.n_near} configurations are within {NEAR} of the best; rank correlation with the end:", end=" "
    )
    print(", ".join(f"{value:.2f} after {epochs}" for epochs, value in grid.correlations((1, 3, 9)).items()))
    print("| search | learning rates | pruner | epochs, median | 90 % quantile | found with ¼ | with ⅛ |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with ProcessPoolExecutor(2) as pool:
        for sampler, rates, rule in product(options.samplers, options.rates, options.pruners):
            one = partial(measured, grid, sampler, rule, rates == "interval")
            results = list(pool.map(one, range(1, options.repetitions + 1)))
            shares = np.array([share for share, _, _ in results])
            found = np.mean([each[1:] for each in results], 0)
            middle, high = (np.quantile(shares, quantile, method="higher") for quantile in (0.5, 0.9))
            cells = [
                sampler,
                rates,
                rule,
                f"{middle:.3f}",
                f"{high:.3f}",
                f"{found[0]:.2f}",
                f"{found[1]:.2f}",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
