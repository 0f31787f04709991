"""What data sets of synthesised clips share: the pieces, what plays them, and which soundfonts share recordings."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import torchaudio
from torch import Tensor

from src.audio import fluid
from src.audio.mel import log_mel
from src.audio.score import Instrument, ScoreOptions
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.families import ClassPresets, Families
from src.audio.soundfonts.installed import find_soundfont
from src.audio.synthesis import check_sample_rate
from src.datamodules.arrays import ArrayDataModule
from src.datamodules.contact_sheet import named, write_sound
from src.datamodules.error_clips import write_error_clips
from src.datamodules.synthesized.synth_clips import ClipMaker
from src.errors import UserError
from src.fingerprint import content_hash

Number = TypeVar("Number", int, float)


class SynthesizedClips(ArrayDataModule):
    """Random pieces of 1..max_instruments General MIDI instruments, played by FluidSynth; a subclass says how many.

    Args:
        cache_dir: prepared data lie in `<cache_dir>/<name>-<signature>`.
        batch_size: clips a batch.
        shuffle_seed: of the order of training clips, >= 0.
        classes: the instruments: name, General MIDI program (0..127), lowest and highest note (MIDI 0..127).
        pitch_range: [low, high] in place of every instrument's own range; `None` keeps those.
        clip_seconds: length of a clip.
        max_instruments: most at once; at most 15 and the number of classes.
        notes_per_instrument: notes drawn for each instrument of a clip.
        velocity: lowest and highest MIDI velocity, 1..127.
        gap: least and greatest time between onsets of an instrument, seconds.
        length: least and greatest length of a note, seconds.
        effects: the synthesiser's reverberation and chorus.
        features: parameters of `src.audio.mel.LogMel`; its sample_rate is the sound's.
        seed: of all pieces, >= 0.
        soundfonts: paths or known names, of training clips.
        test_soundfonts: those of the test clips; `None` takes the same.
        workers: processes that build the data, or `auto`: one a core.

    Raises:
        UserError: an option lies outside its range.
    """

    target = "multilabel"
    grouped_by = "piece"

    def __init__(
        self,
        *,
        cache_dir: Path,
        batch_size: int,
        shuffle_seed: int,
        classes: Sequence[Mapping[str, Any]],
        pitch_range: Sequence[int] | None,
        clip_seconds: float,
        max_instruments: int,
        notes_per_instrument: int,
        velocity: Sequence[int],
        gap: Sequence[float],
        length: Sequence[float],
        effects: bool,
        features: Mapping[str, Any],
        seed: int,
        soundfonts: Sequence[str],
        test_soundfonts: Sequence[str] | None,
        workers: int | str,
    ) -> None:
        super().__init__(
            cache_dir=cache_dir, batch_size=batch_size, shuffle_seed=shuffle_seed, workers=workers
        )
        self.score_options = ScoreOptions(
            instruments=tuple(_instrument(entry, pitch_range) for entry in classes),
            clip_seconds=float(clip_seconds),
            max_instruments=natural("max_instruments", max_instruments, least=1),
            notes_per_instrument=natural("notes_per_instrument", notes_per_instrument, least=1),
            velocity=pair("velocity", velocity),
            gap=pair("gap", gap),
            length=pair("length", length),
        )
        self.features = dict(features)
        self.effects, self.seed = bool(effects), natural("data.seed", seed, least=0)
        self.soundfonts = soundfont_names("soundfonts", soundfonts)
        self.test_soundfonts = (
            self.soundfonts
            if test_soundfonts is None
            else soundfont_names("test_soundfonts", test_soundfonts)
        )
        self.classes = tuple(instrument.name for instrument in self.score_options.instruments)
        mel = log_mel(self.features)
        check_sample_rate(mel.sample_rate)
        self.item_shape = (
            1,
            mel.n_mels,
            mel.frames(round(self.score_options.clip_seconds * mel.sample_rate)),
        )

    @abstractmethod
    def clip_maker(self) -> ClipMaker:
        """Return what makes whole clips; their numbers run through the splits, one after another."""

    def check_played(self, soundfonts: Iterable[str]) -> None:
        """Refuse a missing library, and soundfonts that are missing or lack the program of a class.

        Args:
            soundfonts: names or paths.

        Raises:
            UserError: one of those; the message says how to mend it.
        """
        fluid.functions()
        programs = [instrument.program for instrument in self.score_options.instruments]
        for font in set(self._paths(tuple(soundfonts))):
            check_programs(font, programs)

    @property
    def families(self) -> Families:
        """Which soundfonts share recordings."""
        return Families(self.cache_dir / "shared_sounds.json", self.cache_dir / "content_hashes.json")

    def resolved(self) -> dict[str, Any]:
        """Give the soundfonts as paths."""
        fonts = {"soundfonts": self.soundfonts, "test_soundfonts": self.test_soundfonts}
        return {key: [str(path) for path in self._paths(names)] for key, names in fonts.items()}

    def recipe(self) -> dict[str, Any]:
        """Give the options, the hashes of the soundfonts, and the versions of FluidSynth and torchaudio."""
        return {
            "score": asdict(self.score_options),
            "features": self.features,
            "effects": self.effects,
            "n_clips": self.n_items,
            "seed": self.seed,
            "soundfonts": self._hashes(self.soundfonts),
            "test_soundfonts": self._hashes(self.test_soundfonts),
            "fluidsynth": fluid.version(),
            "torchaudio": torchaudio.__version__,
        }

    @classmethod
    def repeats_short_sounds(cls, options: Mapping[str, Any]) -> bool:
        """Whether instruments play throughout: they do."""
        return True

    def write_errors(self, folder: Path, outputs: Tensor, targets: Tensor, threshold: float) -> list[Path]:
        """Write for each class the test clip in which it is missed by most; see `write_error_clips`."""
        return write_error_clips(folder, self.write_test_clip, self.classes, outputs, targets, threshold)

    def write_test_clip(self, index: int, stem: Path) -> None:
        """Write test clip `index` as `.wav`, scaled to 0.9, and as `.mid`; names begin with `stem`."""
        maker = self.clip_maker()
        score, soundfont = maker.piece(sum(split.n_clips for split in maker.splits[:-1]) + index)
        score.save(named(stem, ".mid"))
        write_sound(stem, maker.waveform(score, soundfont)[None], maker.mel.sample_rate)

    def _class_presets(self) -> list[ClassPresets]:
        """Give what plays the classes in validation and test clips: the instruments' own programs."""
        return [ClassPresets(i.name, ((0, i.program),)) for i in self.score_options.instruments]

    def _paths(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(find_soundfont(name) for name in names)

    def _hashes(self, names: tuple[str, ...]) -> list[str]:
        memory = self.cache_dir / "content_hashes.json"
        return [content_hash(path, memory) for path in self._paths(names)]


def _instrument(entry: Mapping[str, Any], pitch_range: Sequence[int] | None) -> Instrument:
    if set(entry) != {"name", "program", "low", "high"}:
        raise UserError(f"a class is {dict(entry)}; give it name, program, low and high")
    instrument = Instrument(**entry)
    if pitch_range is None:
        return instrument
    low, high = pair("pitch_range", pitch_range)
    return replace(instrument, low=low, high=high)


def soundfont_names(option: str, fonts: Iterable[str]) -> tuple[str, ...]:
    """Check a list of soundfonts.

    Raises:
        UserError: it is empty.
    """
    names = (fonts,) if isinstance(fonts, str) else tuple(str(font) for font in fonts)
    if not names:
        raise UserError(f"{option} is empty; name at least one soundfont, such as TimGM6mb")
    return names


def pair(option: str, values: Sequence[Number]) -> tuple[Number, Number]:
    """Check a range.

    Raises:
        UserError: it is not two numbers.
    """
    pair = list(values) if isinstance(values, Sequence) else []
    if len(pair) != 2 or not all(isinstance(value, int | float) for value in pair):
        raise UserError(f"{option} is {values}; give two numbers [low, high]")
    return pair[0], pair[1]


def natural(option: str, value: int | None, least: int) -> int:
    """Check a whole number.

    Raises:
        UserError: it is none, or below `least`.
    """
    if not isinstance(value, int) or value < least:
        raise UserError(f"{option} is {value}; choose a whole number from {least} up")
    return value
