"""How the races of a sweep stand, told from its trials alone; those tested on different items race apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.sweep.comparison.racing import Standing, standing
from src.sweep.ranking import MATTERS
from src.sweep.rows import Entry, configuration_name, data_of, is_named, swept_keys
from src.sweep.state import State

Configuration = tuple[tuple[str, str], ...]
"""What was typed for a configuration, without the seed."""


@dataclass(frozen=True)
class Heat:
    """A race of configurations that are judged by the same items.

    Attributes:
        configurations: of the race.
        names: of the configurations.
        failed: those of which a trial diverged or failed.
        standing: of the race.
    """

    configurations: tuple[Configuration, ...]
    names: tuple[str, ...]
    failed: frozenset[int]
    standing: Standing

    def dropped(self) -> list[str]:
        """Return a sentence for each configuration that has dropped out."""
        told = []
        for index, seeds in sorted(self.standing.after.items(), key=lambda each: each[1]):
            why = "a trial diverged or failed" if index in self.failed else "told from the best on validation"
            told.append(f"{self.names[index]} drops out after {seeds} seed{'s' * (seeds > 1)}: {why}")
        return told


def configuration_of(entry: Entry) -> Configuration:
    """Return the configuration of a trial."""
    return tuple((key, value) for key, value in entry.overrides.items() if is_named(key))


def heats(trials: Sequence[Entry], first: int, rounds: int, matters: float | None) -> list[Heat]:
    """Return the races of a sweep.

    Args:
        trials: of the sweep; other seeds than those of the race do not count.
        first: the first seed.
        rounds: R, the number of seeds.
        matters: the smallest difference worth a look; `None`: the metric's own.
    """
    members: dict[Configuration, dict[int, Entry]] = {}
    for entry in trials:
        if first <= entry.seed < first + rounds:
            members.setdefault(configuration_of(entry), {})[entry.seed - first] = entry
    objectives = [entry.metrics["objective"] for entry in trials if "objective" in entry.metrics]
    figure = "judged" if all("judged" in objective for objective in objectives) else "value"
    if matters is None:
        matters = max((objective.get("matters", MATTERS) for objective in objectives), default=MATTERS)
    keys, found = swept_keys(trials), []
    for group in _groups(members):
        losses = np.full((len(group), rounds), np.nan)
        for row, configuration in enumerate(group):
            for number, entry in members[configuration].items():
                losses[row, number] = loss_of(entry, figure)
        names = [_name(members[configuration], keys) for configuration in group]
        failed = frozenset(map(int, np.flatnonzero(np.isinf(losses).any(1))))
        found.append(Heat(tuple(group), tuple(names), failed, standing(losses, matters)))
    return found


def loss_of(entry: Entry, figure: str = "value") -> float:
    """Return the objective of a trial, negated where more is better.

    Args:
        entry: the trial.
        figure: `value`, or `judged` for the objective without the choice of the epoch.

    Returns:
        NaN where it is not known yet, infinity where the trial diverged or failed.
    """
    if entry.state is not State.FINISHED:
        return math.nan if not entry.state.final or entry.state.resumable else math.inf
    objective = entry.metrics.get("objective", {})
    value = float(objective.get(figure, math.nan))
    if not math.isfinite(value):
        return math.inf
    return value if objective.get("direction") == "min" else -value


def _groups(members: Mapping[Configuration, Mapping[int, Entry]]) -> list[list[Configuration]]:
    """Group configurations by the items that they are judged by: all together until each has a result or has failed."""
    data = {
        configuration: next((data_of(entry) for entry in trials.values() if entry.metrics), None)
        for configuration, trials in members.items()
    }
    begun = all(
        data[configuration] is not None or any(map(math.isinf, map(loss_of, trials.values())))
        for configuration, trials in members.items()
    )
    known = list(dict.fromkeys(each for each in data.values() if each is not None))
    if not begun or len(known) < 2:
        return [list(members)]
    return [[one for one in members if (data[one] or known[0]) == each] for each in known]


def _name(trials: Mapping[int, Entry], keys: Sequence[str]) -> str:
    entry = next(iter(trials.values()))
    return configuration_name(entry, {key: entry.overrides.get(key, "") for key in keys})


def race_notes(trials: Sequence[Entry], first: int, rounds: int, matters: float | None) -> list[str]:
    """Return what a race has told, and how many trainings it has saved.

    Args:
        trials: of the ledger.
        first: see `heats`.
        rounds: see `heats`.
        matters: see `heats`.
    """
    found = heats(trials, first, rounds, matters)
    told = [
        text for heat in found for text in (_ending(heat, rounds), *(f"  {each}" for each in heat.dropped()))
    ]
    if found and not any(heat.standing.waits for heat in found):
        raced = [entry for entry in trials if first <= entry.seed < first + rounds]
        most = rounds * sum(len(heat.names) for heat in found)
        told.append(f"  {most - len(raced)} of {most} trainings were saved.")
    return told


def _ending(heat: Heat, rounds: int) -> str:
    """Return which configurations are left in a race, and why it has ended."""
    stands = heat.standing
    left = ", ".join(heat.names[index] for index in stands.left) or "none"
    told = (
        f"Race: after {stands.seeds} of up to {rounds} seeds {len(stands.left)} of {len(heat.names)} are left"
    )
    if stands.waits:
        return f"{told}, and it goes on: {left}."
    if stands.tied:
        return f"{told}, tied within what matters: {left}."
    return f"{told}{', not told apart' if len(stands.left) > 1 else ''}: {left}."
