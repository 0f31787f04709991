"""What a search costs: milliseconds that a slot waits for the next trial, and their share of trials of a minute.

    python benchmarks/asking.py [--known 50 500] [--repeats 5] [--json FILE]

The space has 3 optimizers, 2 losses, and log intervals of the learning rate and the weight decay. Of each number of
known trials:
- ask: the sampler's proposal (`Study.ask`), in the sweep's process;
- propose: all that happens between a free slot and the start of the trial's process: ask, compose, plan and prepare in
  a process of its own (`Proposer.propose`), of this project's own trial, whose data are there;
- promote: with `pruner=asha`, which trial goes on, if any, and up to which losses (`Promotion.next` and `limited`),
  where most trials are paused;
- epoch: with `pruner=asha`, what the sweep does for each epoch that one of four trials has done (`Promotion.update`).

Figures are medians of wall time; the CPU time in brackets is that of the sweep's process alone. What comes first,
imports and a first fit, is left out.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from hydra_plugins.polysweep import Composition
from src.configuration.composing import Composer
from src.paths import CONF
from src.sweep.job import Job
from src.sweep.learning_curve import LearningCurve
from src.sweep.ledger import Ledger
from src.sweep.search.budget import Budget, Spent
from src.sweep.search.promoting import Promotion
from src.sweep.search.proposing import Proposer, Search
from src.sweep.search.pruners.asha import Asha
from src.sweep.search.record import Outcome, Record
from src.sweep.search.space import Choice, Point, Space
from src.sweep.search.study import Study
from src.sweep.search.syntax import read_space
from src.sweep.search.trials import Trials
from src.sweep.settings import Settings
from src.sweep.table import Table

TRIAL_MS = 60_000.0
SPACE = (
    "optimizer=adam,sgd,adamw",
    "loss=bce,focal",
    "optimizer.lr=tag(log,interval(1e-4,1e-1))",
    "optimizer.weight_decay=tag(log,interval(1e-6,1e-2))",
    "experiment=debug",
)
EPOCHS = 27

Took = tuple[float, float]
"""Milliseconds of wall time, and of CPU time of this process."""


def space() -> Space:
    """Return the space."""
    return read_space(OverridesParser.create().parse_overrides(list(SPACE)))


def points(axes: Space, number: int) -> Iterator[dict[str, str]]:
    """Yield points that are drawn at random."""
    rng = np.random.default_rng(1)
    for _ in range(number):
        yield {axis.key: axis.at(share) for axis, share in zip(axes.axes, rng.random(4), strict=True)}


def loss(axes: Space, point: Point) -> float:
    """Return a smooth loss with its least value inside the space."""
    shares = [axis.share(point[axis.key]) for axis in axes.axes if not isinstance(axis, Choice)]
    chosen = 0.1 * sum(axis.texts.index(point[axis.key]) for axis in axes.axes if isinstance(axis, Choice))
    return chosen + sum((share - 0.3) ** 2 for share in shares)


def known(axes: Space, number: int) -> Iterator[Record]:
    """Yield measured trials."""
    rng = np.random.default_rng(2)
    for place, point in enumerate(points(axes, number)):
        yield Record(point, Outcome.MEASURED, loss(axes, point) + 0.02 * rng.standard_normal(), number=place)


def at_rungs(axes: Space, number: int) -> Iterator[Record]:
    """Yield trials that successive halving has stopped at rungs; the last four run."""
    for place, record in enumerate(known(axes, number)):
        power = min(3, sum(place % 3**each == 0 for each in (1, 2, 3)))
        level = record.loss or 0.0
        lines = [
            {"epoch": epoch, "epochs": EPOCHS, "objective": level + 1 / epoch, "direction": "min"}
            for epoch in range(1, 3**power + 1)
        ]
        outcome = Outcome.MEASURED if power == 3 else Outcome.PAUSED
        record = Record(
            record.point, outcome, level if power == 3 else None, curve=LearningCurve.of(lines), number=place
        )
        if place >= number - 4:
            record.outcome, record.loss = Outcome.RUNS, None
        yield record


def milliseconds(function: Callable[[int], Any], repeats: int) -> Took:
    """Return the median times of calls with 0, 1, …; the first one is left out."""
    took = []
    for number in range(repeats + 1):
        begun, cpu = time.perf_counter(), time.process_time()
        function(number)
        took.append((1e3 * (time.perf_counter() - begun), 1e3 * (time.process_time() - cpu)))
    walls, cpus = zip(*took[1:], strict=True)
    return median(walls), median(cpus)


class _Quiet:
    """In place of a table."""

    console = SimpleNamespace(is_terminal=True)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def quiet() -> Table:
    """Return a table that shows nothing."""
    return _Quiet()  # type: ignore[return-value]


@contextmanager
def composition(outputs: Path) -> Iterator[Composition]:
    """Compose this project's configurations."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [f"outputs={outputs}"], RunMode.MULTIRUN)
        yield Composition(Composer(loader, master), known=True)


def proposing(axes: Space, sampler: str, number: int, outputs: Path, repeats: int) -> tuple[Took, Took]:
    """Return milliseconds of asking and of proposing."""
    study = Study(axes.axes, lambda *_: True, sampler, 1)
    for record in known(axes, number):
        study.add(record)
    trials = Trials(study, Ledger(outputs / f"{sampler}-{number}.jsonl"), quiet())
    with composition(outputs) as of_trial:
        settings = Settings(outputs, "src.trial", search=sampler, n_trials=10_000)
        spent = Spent(Budget(n_trials=10_000))
        proposer = Proposer(
            Search(axes, spent, of_trial.request, lambda *_: None, settings, "s"), trials, number
        )
        asking = milliseconds(lambda turn: study.ask(number + turn, 1), repeats)
        for optimizer, loss_name in product(*(axis.probes() for axis in axes.axes[:2])):
            of_trial.request((f"optimizer={optimizer}", f"loss={loss_name}", *SPACE[4:]))
        return asking, milliseconds(lambda _: proposer.propose(), repeats)


def promoting(axes: Space, number: int, folder: Path, repeats: int) -> tuple[Took, Took]:
    """Return milliseconds of a promotion, and of what is done for an epoch."""
    trials = Trials(Study(axes.axes, lambda *_: True, "tpe", 1), Ledger(folder / "a.jsonl"), quiet())
    spent = Spent(Budget(n_trials=10_000))
    promotion = Promotion(trials, spent, Asha(1, 3), 3)
    for record in at_rungs(axes, number):
        job = Job(f"{number}-{record.number}", {}, (), folder, "", "")
        trials.add(record, job)
        spent.begins(job.signature)
        spent.progresses(job.signature, record.curve.done, EPOCHS)
        if record.outcome is Outcome.RUNS:
            job.folder.mkdir(parents=True)
            promotion.limited(job)

    def update(turn: int) -> None:
        """One epoch more of one of those that run."""
        [*_, signature] = promotion.limits
        trials.progressed(
            trials.jobs[signature],
            {"epoch": turn + 2, "epochs": EPOCHS, "objective": 1.0 / (turn + 2), "direction": "min"},
        )
        promotion.update()

    epoch = milliseconds(update, repeats)
    return milliseconds(lambda _: promotion.next(), repeats), epoch


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--known", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe", "gp"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Took] = {}
    with tempfile.TemporaryDirectory() as folder:
        axes, outputs = space(), Path(folder)
        for number in options.known:
            for sampler in options.samplers:
                ask, propose = proposing(axes, sampler, number, outputs, options.repeats)
                found |= {f"{sampler} {number} ask": ask, f"{sampler} {number} propose": propose}
            promote, epoch = promoting(axes, number, outputs, options.repeats)
            found |= {f"asha {number} promote": promote, f"asha {number} epoch": epoch}
    for name, (wall, cpu) in found.items():
        share = 100 * wall / TRIAL_MS
        print(f"{name:20}{wall:9.1f} ms ({cpu:.1f} ms of CPU), {share:.2f} % of a trial of a minute")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
