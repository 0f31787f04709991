"""Polyphonic clips of synthesised instruments, to recognise all that play.

After the published data set of General MIDI clips (12 instruments, 1 to 4 at once, 5 random notes each), with
a fixed clip length, correct mono, each instrument in its own range, and splits of different pieces.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from src.datamodules.contact_sheet import named, write_clip, write_contact_sheet
from src.datamodules.synthesized.base import ClipOptions, SynthesizedClips
from src.datamodules.synthesized.synth_clips import ClipMaker, Split
from src.errors import UserError
from src.rules import by_name, whole
from src.splitting.splits import SPLITS


class SynthInstruments(SynthesizedClips):
    """Random pieces, each played by one soundfont.

    Args:
        n_clips: number of clips of `train`, `val` and `test`.
        options: see `ClipOptions`; of several soundfonts each clip draws one. Test soundfonts other than the training
            ones must share no recording with them, so that the test shows whether a model knows instruments or fonts.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "synth_instruments"

    class Options(ClipOptions):
        """See `SynthInstruments`."""

        n_clips: Annotated[Mapping[str, int], by_name(whole(1), SPLITS)]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.n_items = dict(self.options.n_clips)

    def check(self) -> None:
        """Check library, soundfonts and programs, that test soundfonts are unseen, and that the disk has room.

        Raises:
            UserError: something is missing or wrong; the message says how to correct it.
        """
        self.check_played([*self.soundfonts, *self.test_soundfonts])
        self.check_unseen(self.soundfonts)
        super().check()

    def check_test(self, trained: Mapping[str, Any]) -> None:
        """Check that test soundfonts share no recording with those that a model was trained on.

        Raises:
            UserError: see `check_unseen`.
        """
        self.check_unseen(trained["soundfonts"])

    def check_unseen(self, soundfonts: Sequence[str]) -> None:
        """Check that each test soundfont is one of these or shares no recording with them.

        Args:
            soundfonts: names or paths of those that a model is trained on.

        Raises:
            UserError: one shares a recording, or cannot be compared (`.sf3`).
        """
        trained, presets = self._paths(tuple(soundfonts)), self._class_presets()
        others = dict.fromkeys(trained, presets)
        for test_font in set(self._paths(self.test_soundfonts)) - set(trained):
            for font, shared in self.families.family(test_font, presets, others).items():
                classes = ", ".join(sorted({sound.label for sound in shared}))
                raise UserError(
                    f"data.test_soundfonts: {test_font.stem} shares recordings of {classes} with {font.stem}, "
                    "which is trained on; test on a soundfont of another family, or on that one itself"
                )

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the recipe without the number of training clips; training soundfonts play validation clips, too."""
        return super().evaluation_recipe() | {"n_clips": {split: self.n_items[split] for split in SPLITS[1:]}}

    def maker(self) -> ClipMaker:
        """Return the maker of all clips."""
        fonts, test_fonts = self._paths(self.soundfonts), self._paths(self.test_soundfonts)
        splits = tuple(
            Split(n_clips=self.n_items[split], soundfonts=test_fonts if split == "test" else fonts)
            for split in SPLITS
        )
        return ClipMaker(
            score=self.score_options,
            features=self.features,
            effects=self.effects,
            splits=splits,
            seed=self.seed,
        )

    def clip_maker(self) -> ClipMaker:
        """Return the maker of whole clips: here of all items."""
        return self.maker()

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training clips of each class and number of instruments, to listen to and look at.

        Args:
            folder: gets `.wav`, `.mid` and `.png` files whose names say what plays, and `classes.csv`/`.png`.
        """
        maker = self.maker()

        def write(index: int, stem: Path) -> None:
            score, soundfont = maker.piece(index)
            waveform = maker.waveform(score, soundfont)
            score.save(named(stem, ".mid"))
            write_clip(stem, waveform[None], maker.log_mel(waveform)[None], maker.mel)

        write_contact_sheet(folder, write, self.classes, {split: self.arrays(split)[1] for split in SPLITS})
