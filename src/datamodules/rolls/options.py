"""Options of data sets of piano rolls."""

from typing import Annotated

from src.audio.roll import MAX_RATE, SHORT_NOTES, UNITS, Grid
from src.datamodules.options import DataOptions, Shares
from src.rules import flag, null, number, one_of, whole


class RollOptions(DataOptions):
    """What every data set of rolls has.

    Args:
        seed: of the split; `None` where the pieces have their own.
        split: shares of the pieces, `val` and `test`; `None` where the pieces have their own.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        n_steps: predicted steps of a training window; `None` trains on whole pieces.
        crop: columns taken of each piece; `None` takes all.
        onsets: whether the roll carries onsets beside the sounding keys.
    """

    seed: Annotated[int | None, whole(0) | null()]
    split: Shares
    lowest_note: Annotated[int, whole(0, 127)]
    n_notes: Annotated[int, whole(1, 128)]
    n_steps: Annotated[int | None, whole(1) | null("for whole pieces")]
    crop: Annotated[int | None, whole(2) | null("for whole pieces")]
    onsets: Annotated[bool, flag]

    def steps(self) -> Grid | None:
        """Return what a step is, or `None` where that is unknown."""
        return None


class GridOptions(RollOptions):
    """What data sets have whose pieces are put on a grid.

    Args:
        grid: `beats` or `seconds`.
        rate: steps a beat or a second.
        short_notes: `keep` or `drop`; see `src.audio.roll.Grid`.

    Raises:
        UserError: an option lies outside its range, or the keys reach past MIDI note 127.
    """

    grid: Annotated[str, one_of(*UNITS)]
    rate: Annotated[float, number(1, MAX_RATE)]
    short_notes: Annotated[str, one_of(*SHORT_NOTES)]

    def check(self) -> None:
        """Refuse keys past the last of MIDI, and parts of a step.

        Raises:
            UserError: there are such.
        """
        self.steps()

    def steps(self) -> Grid:
        """Return what a step is."""
        return Grid(
            unit=self.grid,
            rate=self.rate,
            lowest_note=self.lowest_note,
            n_notes=self.n_notes,
            short_notes=self.short_notes,
        )
