"""What data sets of synthesised clips have in common: pieces, soundfonts, and which of these share recordings."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torchaudio
from torch import Tensor

from src.audio import fluid
from src.audio.mel import log_mel
from src.audio.score import Instrument, ScoreOptions
from src.audio.soundfonts.contents import check_programs
from src.audio.soundfonts.families import ClassPresets, Families
from src.audio.soundfonts.installed import fetch_missing, find_soundfont
from src.audio.synthesis import check_sample_rate
from src.datamodules.arrays import ArrayDataModule
from src.datamodules.contact_sheet import named, write_sound
from src.datamodules.error_clips import write_error_clips
from src.datamodules.options import DataOptions, Features, OtherSoundfonts, Seed, Soundfonts
from src.datamodules.synthesized.synth_clips import ClipMaker
from src.errors import UserError
from src.fingerprint import Memory, content_hash
from src.rules import each, flag, null, number, pair, seconds, table, whole


class ClipOptions(DataOptions):
    """Options of every data set of synthesised clips.

    Args:
        classes: the instruments: name, General MIDI program (0..127), lowest and highest note (MIDI 0..127).
        pitch_range: [low, high] in place of every instrument's own range; `None` keeps those.
        clip_seconds: length of a clip, s.
        max_instruments: the most in a clip; at most 15 and the number of classes.
        notes_per_instrument: notes drawn for each instrument of a clip.
        velocity: lowest and highest MIDI velocity.
        gap: least and greatest time between onsets of an instrument, s.
        length: least and greatest length of a note, s.
        effects: whether the synthesiser adds reverberation and chorus.
        features: parameters of `src.audio.mel.LogMel`; its sample_rate is the sound's.
        seed: of all pieces, >= 0.
        soundfonts: paths or known names of those that play training clips.
        test_soundfonts: those that play test clips; `None`: the same.
    """

    classes: Annotated[Sequence[Mapping[str, Any]], each(table)]
    pitch_range: Annotated[tuple[int, int] | None, pair(whole(0, 127)) | null("for each instrument's own")]
    clip_seconds: Annotated[float, seconds]
    max_instruments: Annotated[int, whole(1)]
    notes_per_instrument: Annotated[int, whole(1)]
    velocity: Annotated[tuple[int, int], pair(whole(1, 127))]
    gap: Annotated[tuple[float, float], pair(number(0))]
    length: Annotated[tuple[float, float], pair(number(0.01))]
    effects: Annotated[bool, flag]
    features: Features
    seed: Seed
    soundfonts: Soundfonts
    test_soundfonts: OtherSoundfonts

    def instruments(self) -> tuple[Instrument, ...]:
        """Return the classes.

        Raises:
            UserError: a class has wrong keys, or a number outside its range.
        """
        return tuple(instrument(entry, self.pitch_range) for entry in self.classes)


class SynthesizedClips(ArrayDataModule):
    """Random pieces of 1..max_instruments General MIDI instruments, played by FluidSynth; a subclass says how many.

    Args:
        cache_dir: prepared data lie in `<cache_dir>/<name>-<signature>`.
        batch_size: clips a batch.
        shuffle_seed: of the order of training clips, >= 0.
        options: see `ClipOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    target = "multilabel"
    grouped_by = "piece"

    Options = ClipOptions
    options: ClipOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.score_options = ScoreOptions(
            instruments=options.instruments(),
            clip_seconds=options.clip_seconds,
            max_instruments=options.max_instruments,
            notes_per_instrument=options.notes_per_instrument,
            velocity=options.velocity,
            gap=options.gap,
            length=options.length,
        )
        self.features, self.effects, self.seed = dict(options.features), options.effects, options.seed
        self.soundfonts = options.soundfonts
        self._found: dict[str, Path] = {}
        self.test_soundfonts = options.test_soundfonts or options.soundfonts
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
        """Return the maker of whole clips; their numbers run through the splits, one after another."""

    def fetch(self) -> None:
        """Download missing soundfonts that packages of Debian or npm have.

        Raises:
            UserError: a download failed.
        """
        fetch_missing([*self.soundfonts, *self.test_soundfonts])

    def check_played(self, soundfonts: Iterable[str]) -> None:
        """Check that the library is installed, and that soundfonts exist and have the programs of all classes.

        Args:
            soundfonts: names or paths.

        Raises:
            UserError: something is missing; the message says how to get it.
        """
        fluid.functions()
        programs = [instrument.program for instrument in self.score_options.instruments]
        for font in set(self._paths(tuple(soundfonts))):
            check_programs(font, programs)

    @property
    def families(self) -> Families:
        """Which soundfonts share recordings."""
        return Families(self.cache_dir / "shared_sounds.json", self.cache_dir / Memory.CONTENTS)

    def resolved(self) -> dict[str, Any]:
        """Return the soundfonts as paths."""
        fonts = {"soundfonts": self.soundfonts, "test_soundfonts": self.test_soundfonts}
        return {key: [str(path) for path in self._paths(names)] for key, names in fonts.items()}

    def recipe(self) -> dict[str, Any]:
        """Return the options, the hashes of the soundfonts, and the versions of FluidSynth and torchaudio."""
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
        """Return `True`: instruments play from the beginning to the end of a clip."""
        return True

    def write_errors(self, folder: Path, outputs: Tensor, targets: Tensor, threshold: float) -> list[Path]:
        """Write for each class the test clip in which it gets the lowest probability; see `write_error_clips`."""
        return write_error_clips(folder, self.write_test_clip, self.classes, outputs, targets, threshold)

    def write_test_clip(self, index: int, stem: Path) -> None:
        """Write test clip `index` as `.wav`, scaled to 0.9, and as `.mid`; names begin with `stem`."""
        maker = self.clip_maker()
        score, soundfont = maker.piece(sum(split.n_clips for split in maker.splits[:-1]) + index)
        score.save(named(stem, ".mid"))
        write_sound(stem, maker.waveform(score, soundfont)[None], maker.mel.sample_rate)

    def _class_presets(self) -> list[ClassPresets]:
        """Return the presets that play the classes in validation and test clips: bank 0, the instrument's program."""
        return [
            ClassPresets(instrument.name, ((0, instrument.program),))
            for instrument in self.score_options.instruments
        ]

    def _paths(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        for name in names:
            if name not in self._found:  # looked up once: that lists several folders
                self._found[name] = find_soundfont(name)
        return tuple(self._found[name] for name in names)

    def _hashes(self, names: tuple[str, ...]) -> list[str]:
        memory = self.cache_dir / Memory.CONTENTS
        return [content_hash(path, memory) for path in self._paths(names)]


def instrument(entry: Mapping[str, Any], pitch_range: tuple[int, int] | None) -> Instrument:
    """Return a class of the configuration.

    Args:
        entry: its keys and values.
        pitch_range: lowest and highest note, in place of its own.

    Raises:
        UserError: it has wrong keys, or a number outside its range.
    """
    if set(entry) != {"name", "program", "low", "high"}:
        raise UserError(
            f"data.classes: {dict(entry)}: each needs name, program, low and high, and nothing else."
        )
    instrument = Instrument(**entry)
    if pitch_range is None:
        return instrument
    low, high = pitch_range
    return replace(instrument, low=low, high=high)
