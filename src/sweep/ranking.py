"""Ranks the rows of a leaderboard on validation, and judges them on test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from src.errors import UserError
from src.jackknife import Jackknife
from src.sweep.comparison.results import Results
from src.sweep.comparison.verdicts import judge
from src.sweep.rows import Row, judged_name

MATTERS = 0.005
"""Smallest difference worth a look where a metric has none of its own."""


@dataclass(frozen=True)
class Ranking:
    """How rows are ranked and judged.

    Attributes:
        objective: the metric on validation, `val_…`, that ranks.
        direction: whether its best value is its `min` or `max`.
        matters: the smallest difference worth a look, in its unit.
        reference: the swept values, `key=value` separated by blanks, of the row that others are compared with;
            `None`: the best on validation.
        kept: what is known of the test items, by the folder of a trial.
        cautions: what to say where options of a group were swept, by group.
    """

    objective: str
    direction: str
    matters: float = MATTERS
    reference: str | None = None
    kept: Mapping[str, Jackknife | None] = field(default_factory=dict)
    cautions: Mapping[str, str] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The metric on test that corresponds to the objective."""
        return self.objective.removeprefix("val_")

    def loss(self, row: Row) -> float:
        """Return the mean objective of a row, negated where more is better; infinite where it has none."""
        if not row.values.get(self.objective):
            return math.inf
        return row.mean(self.objective) * (-1 if self.direction == "max" else 1)

    def rank(self, rows: Sequence[Row], tried: Sequence[Row] | None = None) -> None:
        """Set rank, edges and judgement of rows; those of different data are ranked apart.

        A configuration of which a trial diverged ranks behind those of which none did.

        Args:
            rows: to be ranked.
            tried: all rows with values that were tried, for the edges; `None`: those that are ranked.

        Raises:
            UserError: no row, or several, have the swept values of the reference.
        """
        reference = None if self.reference is None else find_row(rows, self.reference)
        for data in dict.fromkeys(row.data for row in rows):
            ranked = [row for row in rows if row.data == data and row.values.get(self.objective)]
            sign, by = -1 if self.direction == "max" else 1, self.ranks_by(ranked)
            ranked.sort(key=lambda row: (row.diverged > 0, sign * row.mean(by)))
            for number, row in enumerate(ranked, start=1):
                row.rank = number
            if ranked:
                ranked[0].edges = tuple(edges(ranked[0], tried or rows))
                self._judge(ranked, reference)

    def ranks_by(self, rows: Sequence[Row]) -> str:
        """Return the metric that ranks: where all rows have it, the objective without the choice of the epoch."""
        judged = judged_name(self.objective)
        known = all(row.values.get(judged, {}).keys() == row.values[self.objective].keys() for row in rows)
        return judged if known else self.objective

    def reorders(self, rows: Sequence[Row]) -> bool:
        """Whether ranked rows are not in the order of their objective, which the choice of the epoch flatters."""
        sign = -1 if self.direction == "max" else 1
        for data in {row.data for row in rows}:
            ranked = [row for row in rows if row.data == data and row.rank is not None and not row.diverged]
            means = [sign * row.mean(self.objective) for row in sorted(ranked, key=lambda row: row.rank or 0)]
            if means != sorted(means):
                return True
        return False

    def results(self, rows: Sequence[Row]) -> list[Results]:
        """Return the results of rows on test, item by item where all trials have kept their outputs."""
        kept = [[self.kept.get(row.run_of_seed[seed]) for seed in row.values[self.metric]] for row in rows]
        items = {
            None if each is None else (each.items, len(each.without)) for of_row in kept for each in of_row
        }
        paired = len(items) == 1 and None not in items
        results = []
        for row, of_row in zip(rows, kept, strict=True):
            values = np.array(list(row.values[self.metric].values()))
            # The resampling error is that of the kept outputs; the value itself is the one that was measured.
            blocks = [
                each.without - each.value + value for each, value in zip(of_row, values, strict=True) if each
            ]
            results.append(Results(values, np.array(blocks) if paired else None))
        return results

    def _judge(self, ranked: Sequence[Row], reference: Row | None) -> None:
        tested = [row for row in ranked if row.values.get(self.metric)]
        if len(tested) < 2 or (reference is not None and reference not in tested):
            return
        judged = judge(
            self.results(tested),
            chosen=0 if reference is None else tested.index(reference),
            higher_is_better=self.direction == "max",
            matters=self.matters,
            against_chosen_only=reference is not None,
        )
        for row, judgement in zip(tested, judged, strict=True):
            row.judgement = judgement


def find_row(rows: Sequence[Row], described: str) -> Row:
    """Return the row with some swept values.

    Args:
        rows: of trials.
        described: `key=value`, several separated by blanks.

    Raises:
        UserError: no row, or several, have them.
    """
    wanted = dict(part.partition("=")[::2] for part in described.split())
    found = [row for row in rows if all(row.swept.get(key) == value for key, value in wanted.items())]
    if len(found) == 1:
        return found[0]
    keys = dict.fromkeys(key for row in rows for key in row.swept)
    number = "several configurations have" if found else "no configuration has"
    raise UserError(
        f"sweep.reference={described}: {number} these values; name one of each swept key "
        f"({', '.join(keys) or 'none was swept'}), such as sweep.reference='optimizer=adam loss=bce'."
    )


def edges(best: Row, rows: Sequence[Row]) -> list[str]:
    """Return the swept numbers of which a row has the least or greatest value that was tried."""
    found = []
    for key, value in best.swept.items():
        tried = {number for row in rows if (number := _number(row.swept.get(key, ""))) is not None}
        if len(tried) > 1 and _number(value) in (min(tried), max(tried)):
            found.append(key)
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
