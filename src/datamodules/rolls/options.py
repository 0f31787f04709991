"""Options of data sets of piano rolls."""

from typing import Annotated

from src.audio.roll import MAX_RATE, SHORT_NOTES, UNITS, Grid
from src.datamodules.options import DataOptions, Shares
from src.rules import flag, null, number, one_of, whole


class RollOptions(DataOptions):
    """Options of every data set of rolls.

    Args:
        seed: of the split, >= 0; `None` where the data set has its own split.
        split: shares of the pieces that are drawn for `val` and `test`, 0..1; `None` where the data set has its own.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        n_steps: number of predicted steps of a training window; `None`: whole pieces.
        crop: number of columns used of each piece, from its beginning; `None`: all.
        onsets: whether the roll has onsets beside the sounding keys.
    """

    seed: Annotated[int | None, whole(0) | null()]
    split: Shares
    lowest_note: Annotated[int, whole(0, 127)]
    n_notes: Annotated[int, whole(1, 128)]
    n_steps: Annotated[int | None, whole(1) | null("for whole pieces")]
    crop: Annotated[int | None, whole(2) | null("for whole pieces")]
    onsets: Annotated[bool, flag]

    def steps(self) -> Grid | None:
        """Return length of a step and range of keys, or `None` where the length is unknown."""
        return None


class GridOptions(RollOptions):
    """Options of data sets whose pieces are put on a grid.

    Args:
        grid: `beats` or `seconds`.
        rate: steps per beat or per second.
        short_notes: `keep` or `drop`; see `src.audio.roll.Grid`.

    Raises:
        UserError: an option lies outside its range, or the keys reach past MIDI note 127.
    """

    grid: Annotated[str, one_of(*UNITS)]
    rate: Annotated[float, number(1, MAX_RATE)]
    short_notes: Annotated[str, one_of(*SHORT_NOTES)]

    def check(self) -> None:
        """Check that the keys end at MIDI note 127 at most, and that the rate fits the grid.

        Raises:
            UserError: they do not.
        """
        self.steps()

    def steps(self) -> Grid:
        """Return length of a step and range of keys."""
        return Grid(
            unit=self.grid,
            rate=self.rate,
            lowest_note=self.lowest_note,
            n_notes=self.n_notes,
            short_notes=self.short_notes,
        )
