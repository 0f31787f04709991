"""The rows of a leaderboard: configurations grouped over seeds, and baselines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from src.sweep.comparison.verdicts import Judgement
from src.sweep.state import State

UNNAMED = (
    *("seed", "outputs", "mode", "dry_run", "retry", "reuse", "timeout", "cores"),
    *("search", "n_trials", "max_hours", "max_epochs_total", "confirm"),
    *("pruner", "min_epochs", "reduction_factor"),
    *("seeds", "race"),
)
"""Keys that are no part of a configuration's name, like all of `sweep`; seeds are averaged over."""


@dataclass
class Entry:
    """One trial of the leaderboard.

    Args:
        overrides: `{key: value}` as typed.
        state: from `status.json`, or `queued`.
        metrics: content of `metrics.json`, empty if there is none.
        run: the trial's folder, relative to the outputs folder.
        seed: of the training.
        code: fingerprint of the code that it ran.
        confirms: whether it ran one of a search's best configurations again, with a fresh seed.
    """

    overrides: Mapping[str, str]
    state: State
    metrics: Mapping[str, Any]
    run: str
    seed: int = 0
    code: str = ""
    confirms: bool = False


@dataclass
class Row:
    """A row of the table before formatting.

    Args:
        kind: `trial` or `baseline`.
        name: of the configuration, from what was swept.
        swept: values of the swept keys.
        state: of its trials.
        data: what identifies its test items; rows are compared with those of the same data only.
        values: by metric, the value of each seed.
        intervals: by metric, of its only seed.
        epochs, times: of its trials.
        runs: folders of its trials, relative to the outputs folder.
        run_of_seed: those of the trials that have results, by seed.
        flattered: how much the choice of the best epoch flatters the objective, of each trial that says so.
        diverged: how many trials ended because a loss or an output was not finite.
        rank: from 1, among rows of the same data.
        judgement: of its results on test.
        edges: swept numbers of which the best row has the least or the greatest that was tried.
        confirms: whether its trials ran one of a search's best configurations again, with fresh seeds.
        searched: of such a row, the objective that the search had found.
    """

    kind: str
    name: str
    swept: Mapping[str, str]
    state: str = ""
    data: str = ""
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    epochs: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    run_of_seed: dict[int, str] = field(default_factory=dict)
    flattered: list[float] = field(default_factory=list)
    diverged: int = 0
    rank: int | None = None
    judgement: Judgement | None = None
    edges: tuple[str, ...] = ()
    confirms: bool = False
    searched: float | None = None

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over seeds."""
        values = self.values[metric].values()
        return float(sum(values) / len(values))


def swept_keys(entries: Sequence[Entry]) -> list[str]:
    """Return the keys other than the seed whose values differ between trials, in the order of typing."""
    typed = list(dict.fromkeys(key for entry in entries for key in entry.overrides))
    differing = [key for key in typed if len({entry.overrides.get(key) for entry in entries}) > 1]
    return [key for key in differing if is_named(key)]


def is_named(key: str) -> bool:
    """Whether a key is part of a configuration's name."""
    return key not in UNNAMED and not key.startswith("sweep.")


def trial_rows(entries: Sequence[Entry], keys: Sequence[str]) -> list[Row]:
    """Group trials that differ in nothing but the seed into rows; those tested on different items are different rows.

    Trials that confirm have rows of their own: the seed by which a configuration was chosen would flatter it.

    Args:
        entries: one per trial.
        keys: that were swept.
    """
    groups: dict[tuple[bool, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        values = tuple(entry.overrides.get(key, "") for key in keys)
        groups.setdefault((entry.confirms, values), []).append(entry)
    return [
        _trial_row(members, dict(zip(keys, values, strict=True)))
        for (_, values), of_group in groups.items()
        for members in _by_data(of_group)
    ]


def _by_data(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Group trials by the items they were tested on; those without results are put into the first group."""
    groups: dict[str, list[Entry]] = {data_of(entry): [] for entry in entries if entry.metrics}
    if not groups:
        return [list(entries)]
    first = next(iter(groups))
    for entry in entries:
        groups[data_of(entry) if entry.metrics else first].append(entry)
    return list(groups.values())


def _trial_row(members: Sequence[Entry], swept: Mapping[str, str]) -> Row:
    row = Row(
        "trial", configuration_name(members[0], swept), swept, _states(members), confirms=members[0].confirms
    )
    for entry in members:
        row.runs.append(entry.run)
        row.diverged += entry.state == State.NAN
        if entry.state != State.FINISHED or not entry.metrics:
            continue  # a pruned trial stopped early: its figures are never averaged with those of finished ones
        row.run_of_seed[entry.seed] = entry.run
        row.data = data_of(entry)
        objective = entry.metrics["objective"]
        named = {f"val_{objective['name']}": objective["value"], **scalars(entry.metrics.get("test", {}))}
        if "judged" in objective:
            named[judged_name(f"val_{objective['name']}")] = objective["judged"]
            row.flattered.append(float(objective["flattered"]))
        for name, value in named.items():
            row.values.setdefault(name, {})[entry.seed] = float(value)
        row.epochs.append(float(entry.metrics["time"].get("epochs", 0)))
        row.times.append(float(entry.metrics["time"].get("total_s", 0)))
        row.intervals = {
            name: (low, high) for name, (low, high) in entry.metrics.get("intervals", {}).items()
        }
    return row


def configuration_name(entry: Entry, swept: Mapping[str, str]) -> str:
    """Return the name of a trial's configuration, from what was swept."""
    if swept:
        return ", ".join(
            value if "." not in key else f"{key}={value}" for key, value in swept.items() if value
        )
    return ", ".join(f"{k}={v}" for k, v in entry.overrides.items() if is_named(k)) or "defaults"


def _states(members: Sequence[Entry]) -> str:
    counts = Counter(entry.state for entry in members)
    if len(members) == 1 or (len(counts) == 1 and State.NAN not in counts):
        return next(iter(counts))
    diverged = counts.pop(State.NAN, 0)
    told = [f"{diverged} of {len(members)} diverged"] if diverged else []
    return ", ".join([*told, *(f"{count} {state}" for state, count in counts.items())])


def data_of(entry: Entry) -> str:
    """Return what identifies the items that a trial was tested on; empty where it says nothing of them."""
    data = entry.metrics.get("data", {})
    return str(data.get("evaluation", data.get("signature", "")))


def judged_name(objective: str) -> str:
    """Return the name of the objective on halves of validation that did not choose the epoch."""
    return f"{objective}_judged"


def scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that are numbers, without tables."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def objective_of(entries: Sequence[Entry]) -> tuple[str, str]:
    """Return the name of the objective with `val_` before it, and whether its best value is its `min` or `max`."""
    for entry in entries:
        if "objective" in entry.metrics:
            return f"val_{entry.metrics['objective']['name']}", entry.metrics["objective"]["direction"]
    return "val_objective", "max"


def baseline_rows(entries: Sequence[Entry], keys: Sequence[str]) -> list[Row]:
    """Group equal baselines into one row, named by the options that their trials share: they depend on data only."""
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        for name, values in entry.metrics.get("baselines", {}).items():
            groups.setdefault((name, repr(sorted(scalars(values).items())), data_of(entry)), []).append(entry)
    rows = []
    for (name, *_), members in groups.items():
        shared = {
            key: members[0].overrides.get(key, "")
            for key in keys
            if len({entry.overrides.get(key) for entry in members}) == 1
        }
        row = Row("baseline", name, shared, data=data_of(members[0]))
        scores = scalars(members[0].metrics["baselines"][name])
        row.values = {metric: {0: float(value)} for metric, value in scores.items() if metric != "threshold"}
        rows.append(row)
    return rows
