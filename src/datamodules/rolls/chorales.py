"""Bach's four-part chorales, which music21 brings along: nothing is downloaded."""

import importlib.metadata
import importlib.util
from dataclasses import asdict
from typing import Any

from src.audio.roll import Grid
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.chorale_scores import ChoraleMaker, chorale_files
from src.errors import UserError


class Chorales(RollDataModule):
    """The four-part pieces of Bach in music21's corpus, nearly all of them chorales.

    Tied notes are one note, and repeats are not played twice. Settings of one tune, told by the first 8
    intervals of the soprano that are no repeated note, are a group: they stay on one side of the split.

    Args:
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        grid: `beats`; a score has no seconds.
        rate: steps a beat (a crotchet).
        short_notes: `keep` or `drop`; see `src.audio.roll.Grid`.
        options: see `RollDataModule`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "chorales"
    grouped_by = "tune"
    grid: Grid

    def __init__(
        self,
        *,
        lowest_note: int,
        n_notes: int,
        grid: str,
        rate: float,
        short_notes: str,
        **options: Any,
    ) -> None:
        steps = Grid(unit=grid, rate=rate, lowest_note=lowest_note, n_notes=n_notes, short_notes=short_notes)
        super().__init__(lowest_note=lowest_note, n_notes=n_notes, grid=steps, **options)
        if grid != "beats":
            raise UserError(f"data.grid={grid}: a score has no seconds; choose beats")

    def check(self) -> None:
        """Refuse a missing music21.

        Raises:
            UserError: it is not installed.
        """
        if importlib.util.find_spec("music21") is None:
            raise UserError("the chorales are part of music21, which is not here: pip install music21")

    def maker(self) -> ChoraleMaker:
        """Give what makes a piece."""
        return ChoraleMaker(self.grid)

    def piece_ids(self) -> list[str]:
        """Give the paths of the chorales."""
        return [str(path) for path in chorale_files()]

    def rolls_recipe(self) -> dict[str, Any]:
        """Give the grid and the version of music21."""
        return {"grid": asdict(self.grid), "music21": importlib.metadata.version("music21")}
