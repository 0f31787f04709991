"""Polyphonic clips of synthesised instruments: name all that sound.

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
        options: see `ClipOptions`; of several soundfonts each clip draws one. Test soundfonts, by which a model
            shows whether it knows instruments or fonts, must share no recording with those that are trained on.

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
        """Refuse a missing library, soundfont or program, other test soundfonts seen in training, and a full disk.

        Raises:
            UserError: one of those; the message says how to mend it.
        """
        self.check_played([*self.soundfonts, *self.test_soundfonts])
        self.check_unseen(self.soundfonts)
        super().check()

    def check_test(self, trained: Mapping[str, Any]) -> None:
        """Refuse test soundfonts that share recordings with those that a model was trained on.

        Raises:
            UserError: see `check_unseen`.
        """
        self.check_unseen(trained["soundfonts"])

    def check_unseen(self, soundfonts: Sequence[str]) -> None:
        """Refuse test soundfonts that are none of these, but share recordings with one.

        Args:
            soundfonts: names or paths, of what a model is trained on.

        Raises:
            UserError: there is such a one, or one cannot be compared (`.sf3`).
        """
        trained, presets = self._paths(tuple(soundfonts)), self._class_presets()
        for other in self._paths(self.test_soundfonts):
            if other in trained:
                continue
            for one in trained:
                shared = self.families.shared(one, presets, other, presets)
                if shared:
                    classes = ", ".join(sorted({each.label for each in shared}))
                    raise UserError(
                        f"data.test_soundfonts: {other.stem} shares recordings of {classes} with {one.stem}, which is "
                        "trained on; test on a soundfont of another family, or on that one itself"
                    )

    def maker(self) -> ClipMaker:
        """Give what makes clip i."""
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
        """Return what makes whole clips, which all are."""
        return self.maker()

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training clips of each class and number of instruments, to be heard and looked at.

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
