"""What the ledger and the trials' folders know of a search's space: what was proposed, and what was run before."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.sweep.search.space import Identity, Point, Space, identity, name

PROPOSAL = "proposal"
"""Key of a ledger's line that holds the number of a proposal."""

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Past:
    """A point of an earlier command.

    Args:
        point: of the space.
        ran: whether the search proposed it and had to run it.
        proposed: whether the search proposed it.
        number: of its proposal, −1 where it has none.
    """

    point: Point
    ran: bool
    proposed: bool
    number: int = -1


class History:
    """The points that are known when a search begins.

    Args:
        lines: of the sweep's ledger.
        outputs: the folder that has the trials of all sweeps.
        space: of the search.
        fits: whether a point has a value for the axes that hold there, and for no others.
    """

    def __init__(self, lines: Lines, outputs: Path, space: Space, fits: Callable[[Point], bool]) -> None:
        self._lines = lines
        self._outputs = outputs
        self._space = space
        self._fits = fits

    def points(self) -> list[Past]:
        """Return all points, each once: those of other sweeps first, then the proposals in their order."""
        proposed = {identity(past.point): past for past in self._proposed()}
        others: dict[Identity, Past] = {}
        for overrides in (*(line["overrides"] for line in self._lines), *overrides_in(self._outputs)):
            point = self._space.point(overrides)
            if point is not None and identity(point) not in proposed and self._fits(point):
                others.setdefault(identity(point), Past(point, ran=False, proposed=False))
        return [*others.values(), *proposed.values()]

    def n_proposals(self) -> int:
        """Return how many proposals were made."""
        return 1 + max((int(line[PROPOSAL]) for line in self._lines if PROPOSAL in line), default=-1)

    def _proposed(self) -> Iterator[Past]:
        for line in sorted(
            (line for line in self._lines if PROPOSAL in line), key=lambda line: line[PROPOSAL]
        ):
            point = self._space.point(line["overrides"])
            if point is not None:
                ran = line["state"] != "reused"
                yield Past(point, ran=ran, proposed=True, number=int(line[PROPOSAL]))


def refuse_other_space(lines: Lines, space: Space, sweep: str, unimportant: Callable[[str], bool]) -> None:
    """Refuse to go on with a search of another space.

    Args:
        lines: of the sweep's ledger.
        space: of the search.
        sweep: name of the sweep.
        unimportant: whether a key may differ, such as the budget's.

    Raises:
        UserError: a proposal has other keys, or values outside the space.
    """
    fixed = {override for override in space.fixed if not unimportant(_key(override))}
    axes = {name(axis) for axis in space.axes}
    for line in lines:
        if PROPOSAL not in line:
            continue
        own = {text for text in line["overrides"] if _key(text) not in axes and not unimportant(_key(text))}
        outside = space.point(line["overrides"]) is None
        if own != fixed or outside:
            told = " ".join(sorted(own ^ fixed)) or "values outside its axes"
            raise UserError(
                f"sweep.name={sweep} has a search of another space ({told}); choose another sweep.name."
            )


def overrides_in(outputs: Path) -> Iterator[list[str]]:
    """Yield the overrides of all trials in the outputs that a sweep has placed, by signature."""
    for path in sorted((outputs / "runs").glob("*/job.json")):
        with suppress(OSError, ValueError, KeyError):
            yield list(map(str, json.loads(path.read_text(encoding="utf-8"))["overrides"]))


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
