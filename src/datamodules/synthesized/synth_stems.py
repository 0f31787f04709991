"""Polyphonic clips mixed of stems of many soundfonts, tested on soundfonts that are unseen in training."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from torch.utils.data import DataLoader

from src.audio.score import Instrument
from src.audio.soundfonts.families import ClassPresets
from src.audio.soundfonts.installed import fetch_missing
from src.datamodules.batches import loader
from src.datamodules.contact_sheet import named, write_clip, write_contact_sheet
from src.datamodules.options import Soundfonts
from src.datamodules.sound_batches import FreshBatches
from src.datamodules.synthesized import stem_mixtures
from src.datamodules.synthesized.base import ClipOptions, SynthesizedClips, instrument
from src.datamodules.synthesized.stem_maker import StemMaker, StemsAndClips, Variation
from src.datamodules.synthesized.stem_mixtures import DECIBELS, Mixing, StemMixtures
from src.datamodules.synthesized.stem_voices import Voice, check_left_out, relatives_of, voices_of
from src.datamodules.synthesized.synth_clips import ClipMaker, Split
from src.errors import UserError
from src.fingerprint import value_hash
from src.messages import say
from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import fresh_items
from src.preparation.code import code_signature
from src.rules import Rule, by_name, flag, table, whole
from src.splitting.splits import SPLITS

_STATISTICS_CLIPS = 2048
_BLOCK = 256


def _clips(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "train" in value:
        raise UserError(
            f"{key}.train: training clips are mixed of stems; choose data.n_stems and data.n_mixtures"
        )
    return _JUDGED.read(key, value)


_JUDGED = by_name(whole(1), ("val", "test"))
_CLIPS = Rule(_JUDGED.wanted, _clips)


class SynthStems(SynthesizedClips):
    """Training clips are mixed anew in every batch; each instrument of a clip comes from a soundfont drawn for it.

    Args:
        classes: as in `ClipOptions`; each may also have `relatives`, (bank, program) pairs of presets of the same or a
            similar instrument, for soundfonts that have them.
        soundfonts: those that play training stems; each class is played by all that have it.
        val_soundfonts: those that play validation clips.
        test_soundfonts: those that play test clips.
        leave_out: classes not to take from a training soundfont, by its name in `soundfonts` or by the name of its
            file without suffix.
        seen: whether validation and test soundfonts may be among the training ones; the figures are then of soundfonts
            seen in training.
        n_stems: number of stems of each class and soundfont.
        n_mixtures: number of training clips in an epoch.
        n_clips: number of clips of `val` and `test`.
        variation: parameters of `Variation`.
        level_db, equaliser_db: see `Mixing`; 0..40 dB.
        options: see `ClipOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "synth_stems"
    training_options = ("soundfonts", "leave_out", "variation", "level_db", "equaliser_db")
    test_choices = ("unseen",)

    class Options(ClipOptions):
        """See `SynthStems`."""

        val_soundfonts: Soundfonts
        leave_out: Annotated[Mapping[str, Sequence[str]], table]
        seen: Annotated[bool, flag]
        n_stems: Annotated[int, whole(1)]
        n_mixtures: Annotated[int, whole(1)]
        n_clips: Annotated[Mapping[str, int], _CLIPS]
        variation: Annotated[Mapping[str, Any], table]
        level_db: Annotated[float, DECIBELS]
        equaliser_db: Annotated[float, DECIBELS]

        def check(self) -> None:
            """Check what is left out, the scaling of features, and the parameters of `Variation`.

            Raises:
                UserError: one of them is not possible.
            """
            check_left_out(
                self.leave_out, self.soundfonts, [str(entry.get("name")) for entry in self.classes]
            )
            if self.features.get("scaling", "db_max") != "db_max":
                raise UserError(
                    "data.features.scaling: stems are mixed in dB relative to a clip's maximum; choose db_max"
                )
            Variation.read(self.variation)

        def instruments(self) -> tuple[Instrument, ...]:
            """Return the classes without their relatives."""
            without = [{key: entry[key] for key in entry if key != "relatives"} for entry in self.classes]
            return tuple(instrument(entry, self.pitch_range) for entry in without)

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.n_clips, self.n_each, self.n_mixtures = options.n_clips, options.n_stems, options.n_mixtures
        self.relatives = [relatives_of(entry) for entry in options.classes]
        self.val_soundfonts, self.leave_out, self.seen = (
            options.val_soundfonts,
            options.leave_out,
            options.seen,
        )
        self.variation = Variation.read(options.variation)
        self.mixing = Mixing(
            max_instruments=self.score_options.max_instruments,
            level_db=options.level_db,
            equaliser_db=options.equaliser_db,
            top_db=float(self.features.get("top_db", 80.0)),
        )

    @classmethod
    def kept_in_test(cls, trained: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
        """Return `leave_out` of the training, and its `seen` unless `true` is typed for the test."""
        seen = trained.get("seen", False) if tested.get("seen") is False else tested.get("seen")
        return {"leave_out": trained.get("leave_out", {}), "seen": seen}

    def fetch(self) -> None:
        """Download missing soundfonts, also those of validation clips."""
        super().fetch()
        fetch_missing(self.val_soundfonts)

    def check(self) -> None:
        """Check soundfonts and programs, that every class has a soundfont, and that no two splits share recordings.

        Raises:
            UserError: something is missing or shared; the message says how to correct it.
        """
        # Training soundfonts are not checked: they may lack programs.
        self.check_played([*self.val_soundfonts, *self.test_soundfonts])
        without = [name for name, pool in zip(self.classes, self.pools, strict=True) if not pool]
        if without:
            raise UserError(
                f"data.soundfonts: none plays {', '.join(without)}; add one, or leave the class out"
            )
        if not self.seen:
            self.families.check_splits(self._soundfont_presets())
        super().check()

    def check_test(self, trained: Mapping[str, Any]) -> None:
        """Say which test soundfonts a model has seen, where `seen` allows that: their figures are too good."""
        if not self.seen:
            return  # `check` has refused them
        own = {Path(name).stem for name in trained["test_soundfonts"]}
        presets = self._soundfont_presets()
        for font, judged in presets["test"].items():
            if font.stem not in own:
                seen = [font] if font in presets["train"] else []
                seen += self.families.family(font, judged, presets["train"])
                if seen:
                    names = ", ".join(other.stem for other in seen)
                    say(f"data.seen=true: the model was trained on recordings of {font.stem} (by {names})")

    @functools.cached_property
    def voices(self) -> tuple[Voice, ...]:
        """The presets that play each class, one soundfont after another."""
        fonts = zip(self.soundfonts, self._paths(self.soundfonts), strict=True)
        return tuple(
            voice
            for name, font in fonts
            for voice in voices_of(
                font, self.score_options.instruments, self.relatives, self._left_out(name, font)
            )
        )

    @functools.cached_property
    def n_items(self) -> dict[str, int]:  # type: ignore[override]
        """Number of stems (`train`), and of validation and test clips."""
        return {**self.n_clips, "train": self.n_each * len(self.voices)}

    @property
    def epoch_items(self) -> int:
        """Number of clips that are mixed in an epoch."""
        return self.n_mixtures

    @property
    def pools(self) -> list[list[np.ndarray]]:
        """For each class, for each soundfont that has it, the numbers of its stems, int64."""
        return [
            [
                np.arange(number * self.n_each, (number + 1) * self.n_each)
                for number, voice in enumerate(self.voices)
                if voice.label == label
            ]
            for label in range(len(self.classes))
        ]

    def resolved(self) -> dict[str, Any]:
        """Return the soundfonts as paths, and what is left out, by the names of their files."""
        fonts = zip(self.soundfonts, self._paths(self.soundfonts), strict=True)
        left_out = {font.stem: sorted(self._left_out(name, font)) for name, font in fonts}
        return super().resolved() | {
            "val_soundfonts": [str(path) for path in self._paths(self.val_soundfonts)],
            "leave_out": {font: classes for font, classes in left_out.items() if classes},
        }

    def maker(self) -> StemsAndClips:
        """Return the maker of the items on disk: stems, then validation and test clips."""
        clips = (
            Split(n_clips=0, soundfonts=()),  # training clips are mixed of stems
            Split(n_clips=self.n_clips["val"], soundfonts=self._paths(self.val_soundfonts)),
            Split(n_clips=self.n_clips["test"], soundfonts=self._paths(self.test_soundfonts)),
        )
        shared: dict[str, Any] = {
            "score": self.score_options,
            "features": self.features,
            "effects": self.effects,
            "seed": self.seed,
        }
        stems = StemMaker(voices=self.voices, n_each=self.n_each, variation=self.variation, **shared)
        return StemsAndClips(stems, ClipMaker(splits=clips, **shared), self.n_items["train"])

    def clip_maker(self) -> ClipMaker:
        """Return the maker of validation and test clips."""
        return self.maker().clips

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the items on disk; how stems are mixed does not."""
        fonts = self._paths(self.soundfonts)
        return super().recipe() | {
            "val_soundfonts": self._hashes(self.val_soundfonts),
            "voices": [
                [voice.label, fonts.index(voice.soundfont), voice.preset, voice.relatives]
                for voice in self.voices
            ],
            "variation": asdict(self.variation),
        }

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the recipe without stems and how they vary, but with whether tested soundfonts may be trained on."""
        kept = super().evaluation_recipe() | {"n_clips": self.n_clips, "seen": self.seen}
        return {key: value for key, value in kept.items() if key != "voices"}

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`, with the soundfonts of each split."""
        names = {"train": self.soundfonts, "val": self.val_soundfonts, "test": self.test_soundfonts}
        fonts = {split: [path.stem for path in self._paths(of_split)] for split, of_split in names.items()}
        return super().summary() | {
            "soundfonts": fonts,
            "seen": self.seen,
            "clips_an_epoch": self.n_mixtures,
        }

    def mixtures(self) -> StemMixtures:
        """Return the training clips; an index is an array of their numbers."""
        stems, _ = super().arrays("train")
        return StemMixtures(stems, self.pools, self.mixing, self.shuffle_seed)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets of a split; for `train`, `band_statistics` of the first clips (`fresh_items`).

        Raises:
            UserError: the data are not built.
        """
        return self._training_clips if split == "train" else super().arrays(split)

    @functools.cached_property
    def _training_clips(self) -> tuple[np.ndarray, np.ndarray]:
        # In blocks, since the spectrograms of all would take more than a gigabyte.
        count = fresh_items(self.n_mixtures)
        blocks = (self._mixed(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))
        described = [(band_statistics(features), targets) for features, targets in blocks]
        features, targets = zip(*described, strict=True)
        return np.concatenate(features), np.concatenate(targets)

    def training_features(self) -> np.ndarray:
        """Return the features of the first 2,048 training clips."""
        return self._mixed(0, _STATISTICS_CLIPS)[0]

    def _mixed(self, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return features, float16, and targets of the training clips of `data.seed` from `first` to before `end`."""
        stems, _ = super().arrays("train")
        features, targets = StemMixtures(stems, self.pools, self.mixing, self.seed)[np.arange(first, end)]
        return features.half().numpy(), targets.numpy()

    @property
    def statistics_suffix(self) -> str:
        """A hash of how stems are mixed, and of how many clips baselines are fitted to."""
        mixed = [asdict(self.mixing), code_signature(stem_mixtures), fresh_items(self.n_mixtures)]
        return f"-{value_hash(mixed)}"

    def train_dataloader(self) -> DataLoader[Any]:
        """Return a loader of training clips that no earlier epoch had."""
        batches = FreshBatches(self.n_mixtures, self.batch_size, self.shuffle_seed, *self._place())
        return loader(self.mixtures(), batches)

    def contact_sheet(self, folder: Path) -> None:
        """Write a few stems of each class, to listen to and look at.

        Args:
            folder: gets `.wav`, `.mid` and `.png` files whose names say what plays, and `classes.csv`/`.png`.
        """
        maker = self.maker().stems

        def write(index: int, stem: Path) -> None:
            line = maker.line(index)
            waveform = maker.waveform(line)
            line.score.save(named(stem, ".mid"))
            write_clip(stem, waveform[None], super(SynthStems, self).arrays("train")[0][index], maker.mel)

        marks = {split: super(SynthStems, self).arrays(split)[1] for split in SPLITS}
        write_contact_sheet(folder, write, self.classes, marks)

    def _soundfont_presets(self) -> dict[str, dict[Path, list[ClassPresets]]]:
        judged = self._class_presets()
        train: dict[Path, list[ClassPresets]] = {}
        for voice in self.voices:
            presets = ClassPresets(self.classes[voice.label], (voice.preset, *voice.relatives))
            train.setdefault(voice.soundfont, []).append(presets)
        return {
            "train": train,
            "val": dict.fromkeys(self._paths(self.val_soundfonts), judged),
            "test": dict.fromkeys(self._paths(self.test_soundfonts), judged),
        }

    def _left_out(self, name: str, font: Path) -> set[str]:
        """Return the classes that are not taken from a soundfont, looked up by its name and by that of its file.

        A trial of a sweep knows soundfonts by their paths only.
        """
        return {*self.leave_out.get(name, ()), *self.leave_out.get(font.stem, ())}
