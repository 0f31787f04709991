"""Options of generated music."""

from collections.abc import Mapping
from typing import Annotated, Any

from src.audio.roll import Grid
from src.audio.roll_files import NO_SOUND
from src.audio.soundfonts.installed import find_soundfont
from src.errors import UserError
from src.options import Options
from src.rules import null, number, share, whole, words


class Generation(Options):
    """Number and length of the pieces, how they begin, and how their steps are drawn.

    Args:
        pieces: number of pieces; they are generated as one batch.
        steps: length of each piece in steps, without its prime.
        bars: length in bars instead of steps; only where a step is a fraction of a beat.
        beats_per_bar: beats in each of these bars.
        prime: number of steps of a held-out piece that each piece continues; 0: it begins from silence.
        temperature: above 0; logits are divided by it, so that below 1 likely keys become likelier.
        top_k: only the k likeliest keys may sound at once; `None`: any key.
        top_p: only the likeliest keys may sound that together have this share, in 0.01..1, of the probability of all
            keys (nucleus); `None`: any key.
        threshold: keys sound where their probability exceeds it, and nothing is drawn, so that `temperature` has no
            effect; `None`: keys are drawn.
        bpm: tempo of the files, in beats per minute; only where a step is a fraction of a beat.
        program: General MIDI program of the files, 0..127.
        soundfont: name or path of the soundfont for the `.wav` files; `none`: none are written.

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
        """Refuse `top_k` and `top_p` together with `threshold`.

        Raises:
            UserError: one of them is set.
        """
        if self.threshold is not None and (self.top_k, self.top_p) != (None, None):
            raise UserError(
                "with generation.threshold nothing is drawn: leave generation.top_k and generation.top_p out."
            )

    def length(self, grid: Grid | None) -> int:
        """Return the number of steps to generate.

        Raises:
            UserError: `bars` is set where a step is no fraction of a beat.
        """
        if self.bars is None:
            return self.steps
        if grid is None or grid.unit != "beats":
            raise UserError(
                f"generation.bars={self.bars}: here a step is no fraction of a beat; set generation.steps instead."
            )
        return int(self.bars * self.beats_per_bar * grid.rate)


def generation_options(options: Mapping[str, Any]) -> Generation:
    """Return the checked options of generated music.

    Args:
        options: the group `generation` of a configuration.

    Raises:
        UserError: an option is unknown or outside its range, or there is no such soundfont.
    """
    chosen = Generation.read(options)
    if chosen.soundfont != NO_SOUND:
        find_soundfont(chosen.soundfont, prepared=False)
    return chosen
