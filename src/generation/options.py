"""What music is generated with."""

from collections.abc import Mapping
from typing import Annotated, Any

from src.audio.roll import Grid
from src.audio.roll_files import NO_SOUND
from src.audio.soundfonts.installed import find_soundfont
from src.errors import UserError
from src.options import Options
from src.rules import null, number, share, whole, words


class Generation(Options):
    """How many pieces, how long, how they begin and how their columns are drawn.

    Args:
        pieces: how many, drawn side by side.
        steps: length of each, what it begins with not counted.
        bars: length in bars instead, where steps are parts of a beat.
        beats_per_bar: of the bars.
        prime: steps of a held-out piece that each begins with; 0 begins from silence.
        temperature: above 0; logits are divided by it, so that below 1 likely keys become likelier.
        top_k: only so many of the likeliest keys may sound at once; `None`: any number.
        top_p: only the likeliest keys may sound that together have this share, in 0.01..1, of all keys'
            probability (nucleus); `None`: any key.
        threshold: keys sound where their probability exceeds it, nothing is drawn, so that temperature does not
            count; `None` draws.
        bpm: tempo of the files, where steps are parts of a beat.
        program: General MIDI program of the files, 0..127.
        soundfont: name or path of what plays the `.wav` files; `none`: there are none.

    Raises:
        UserError: an option is outside its range.
    """

    group = "generation"

    pieces: Annotated[int, whole(1)]
    steps: Annotated[int, whole(1)]
    bars: Annotated[int | None, whole(1) | null("for steps")]
    beats_per_bar: Annotated[int, whole(1)]
    prime: Annotated[int, whole(0)]
    temperature: Annotated[float, number(0.01, 100)]
    top_k: Annotated[int | None, whole(1) | null("for any number")]
    top_p: Annotated[float | None, number(0.01, 1) | null("for any key")]
    threshold: Annotated[float | None, share | null("to draw")]
    bpm: Annotated[float, number(4, 1000)]
    program: Annotated[int, whole(0, 127)]
    soundfont: Annotated[str, words("a name such as TimGM6mb, or a path")]

    def check(self) -> None:
        """Refuse options of drawing where nothing is drawn.

        Raises:
            UserError: there is one.
        """
        if self.threshold is not None and (self.top_k, self.top_p) != (None, None):
            raise UserError("generation.threshold answers without drawing: leave top_k and top_p out.")

    def length(self, grid: Grid | None) -> int:
        """Give the number of steps to generate.

        Raises:
            UserError: bars are asked for where steps are no parts of a beat.
        """
        if self.bars is None:
            return self.steps
        if grid is None or grid.unit != "beats":
            raise UserError(
                f"generation.bars={self.bars}: these steps are no parts of a beat; give generation.steps."
            )
        return int(self.bars * self.beats_per_bar * grid.rate)


def generation_options(options: Mapping[str, Any]) -> Generation:
    """Read what music is generated with.

    Args:
        options: the group `generation` of a configuration.

    Raises:
        UserError: an option is unknown or outside its range, or there is no such soundfont.
    """
    chosen = Generation.read(options)
    if chosen.soundfont != NO_SOUND:
        find_soundfont(chosen.soundfont)
    return chosen
