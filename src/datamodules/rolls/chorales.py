"""Bach's four-part chorales, which music21 brings along: nothing is downloaded."""

import importlib.metadata
import importlib.util
from dataclasses import asdict
from typing import Annotated, Any

from src.audio.roll import Grid
from src.datamodules.rolls.base import RollDataModule
from src.datamodules.rolls.chorale_scores import ChoraleMaker, chorale_files
from src.datamodules.rolls.options import GridOptions
from src.errors import UserError
from src.rules import one_of


class Chorales(RollDataModule):
    """The four-part pieces of Bach in music21's corpus, nearly all of them chorales.

    Tied notes are one note, and repeats are not played twice. Settings of one tune are one group, and so in one split.
    They are recognised by their titles, by the first 8 intervals of the soprano without note repetitions, and by 12
    successive intervals that begin among the first 12.

    Args:
        options: see `GridOptions`; `grid` is `beats`, since a score has no seconds.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "chorales"
    grouped_by = "tune"
    grid: Grid

    class Options(GridOptions):
        """See `Chorales`."""

        grid: Annotated[str, one_of("beats")]

    options: Options

    def check(self) -> None:
        """Check that music21 is installed.

        Raises:
            UserError: it is not.
        """
        if importlib.util.find_spec("music21") is None:
            raise UserError("the chorales are part of music21, which is not installed: pip install music21")

    def maker(self) -> ChoraleMaker:
        """Return the maker of pieces."""
        return ChoraleMaker(self.grid)

    def piece_ids(self) -> list[str]:
        """Return the paths of the chorales."""
        return [str(path) for path in chorale_files()]

    def rolls_recipe(self) -> dict[str, Any]:
        """Return the grid and the version of music21."""
        return {"grid": asdict(self.grid), "music21": importlib.metadata.version("music21")}
