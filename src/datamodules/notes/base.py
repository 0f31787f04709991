"""What data sets of single notes have in common: the notes, their sounds on disk, folds, items made on access."""

import functools
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from src.audio import mel
from src.audio.mel import log_mel
from src.datamodules.base import DataModule
from src.datamodules.batches import OrderedBatches
from src.datamodules.contact_sheet import write_clip, write_contact_sheet
from src.datamodules.notes import makers, mixer
from src.datamodules.notes.makers import Maker
from src.datamodules.notes.note import FOLDS, FOLDS_OF_SPLITS, Note, by_pitch
from src.datamodules.notes.origins import Played, Recorded
from src.datamodules.notes.store import NoteStore
from src.datamodules.notes.tinysol_table import CARD
from src.datamodules.options import DataOptions, Features, Folder, Incomplete, OtherSoundfonts, Seed
from src.datamodules.sound_batches import ItemMaker, ShiftedSounds, SoundDataset, sound_loader
from src.errors import UserError
from src.fingerprint import Memory, read_json, value_hash, write_json
from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import MOST_ITEMS
from src.options import Role
from src.preparation.code import code_signature, module_of
from src.processes import cores
from src.rules import each, flag, number, one_of, seconds, share, table, whole
from src.splitting.splits import SPLITS

ORIGINS = ("recordings", "soundfont")
_STATISTICS_ITEMS = 256
_SHEET_ITEMS = 2048
_BLOCK = 64
_PITCHES = 128


class NoteOptions(DataOptions):
    """Options of every data set of notes.

    Args:
        source: `recordings`: files below `root` that a table like TinySOL's describes; `soundfont`: the same notes
            played by a synthesiser.
        root: the data set's folder.
        incomplete: whether fewer notes than TinySOL has are enough.
        max_bad: share of the recordings that may be unusable, 0..1; notes that a soundfont lacks do not count.
        soundfonts: paths or known names; each plays every note.
        instruments: name, General MIDI program and range of each.
        velocities: MIDI velocity by dynamics.
        held_seconds: how long a key is held, s.
        effects: whether the synthesiser adds reverberation and chorus.
        note_seconds: length of what is stored of each note, from its beginning, s.
        folds: `own`: those of the table; `pitch`: all notes of one pitch of one instrument share a fold. With a
            soundfont they are always `pitch`.
        split: folds of `train`, `val` and `test`.
        clip_seconds: length of an item, s.
        features: parameters of `src.audio.mel.LogMel`; its sample_rate is the sound's.
        seed: of folds and draws, >= 0.
        shifts: semitones by which validation and test items are transposed; the outputs for all shifts are averaged.
        loaders: number of processes that make batches, or `auto`: none on a CPU, all cores but one with a GPU.
    """

    source: Annotated[str, one_of(*ORIGINS)]
    root: Folder
    max_bad: Annotated[float, share]
    soundfonts: OtherSoundfonts
    instruments: Annotated[Sequence[Mapping[str, Any]], each(table, least=0)]
    velocities: Annotated[Mapping[str, int], table]
    held_seconds: Annotated[float, seconds]
    effects: Annotated[bool, flag]
    note_seconds: Annotated[float, seconds]
    folds: Annotated[str, one_of(*FOLDS)]
    split: Annotated[Mapping[str, tuple[int, ...]], FOLDS_OF_SPLITS]
    clip_seconds: Annotated[float, seconds]
    features: Features
    seed: Seed
    shifts: Annotated[tuple[float, ...], each(number(-12, 12, of="a number of semitones"))]
    loaders: Annotated[int | str, whole(0) | one_of("auto"), Role.NO_EFFECT]
    incomplete: Incomplete = False

    def check(self) -> None:
        """Check that no folder is named where a soundfont plays.

        Raises:
            UserError: one is.
        """
        if self.source == "soundfont" and self.root is not None:
            raise UserError("data.root has no effect with data.source=soundfont: add data.source=recordings")

    def origin(self) -> Recorded | Played:
        """Return the origin of the notes: recordings or soundfonts."""
        if self.source == "recordings":
            return Recorded(self.root, self.incomplete)
        return Played(
            self.soundfonts or (), self.instruments, self.velocities, self.held_seconds, self.effects
        )


class NoteDataModule(DataModule):
    """Items made of single notes on access; a subclass says how.

    Args:
        cache_dir, batch_size, shuffle_seed: see `DataModule`.
        options: see `NoteOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    card = CARD

    Options = NoteOptions
    options: NoteOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.origin, self.root = options.origin(), options.root
        played = options.source == "soundfont"
        self.folds = "pitch" if played else options.folds
        self.max_bad = 1.0 if played else options.max_bad  # a soundfont has the notes that it has
        self.note_seconds, self.clip_seconds = options.note_seconds, options.clip_seconds
        self.split, self.seed = dict(options.split), options.seed
        self.shifts, self.loaders, self.features = options.shifts, options.loaders, dict(options.features)
        self.log_mel = log_mel(self.features)
        self.samples = round(self.clip_seconds * self.log_mel.sample_rate)
        self.item_shape = (1, self.log_mel.n_mels, self.log_mel.frames(self.samples))
        self.n_items = {}

    def fetch(self) -> None:
        """Download the recordings, or the soundfonts that play the notes, where they are missing."""
        self.origin.fetch()

    @abstractmethod
    def maker(self, split: str) -> ItemMaker:
        """Return the maker of the items of a split."""

    @abstractmethod
    def numbers(self, split: str) -> np.ndarray:
        """Return the numbers of the notes of each item of a split, int64 (N,), or (N, M) padded with −1."""

    @abstractmethod
    def train_batches(self) -> Sampler[np.ndarray]:
        """Return the numbers of the training items, a batch at a time."""

    def check(self) -> None:
        """Check that the folder and table, or the soundfonts and their library, exist.

        Raises:
            UserError: one is missing; the message says how to get it.
        """
        self.origin.check(self.log_mel.sample_rate)
        if not self.store.cache.is_complete():
            self.store.cache.check_space()

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """The options that assign folds to splits and notes to folds."""
        return ("split", "folds", "seed") if self.folds == "pitch" else ("split", "folds")

    def resolved(self) -> dict[str, Any]:
        """Return the folder and the soundfonts as full paths, `None` for the one that has no effect, and the folds."""
        return {**self.origin.resolved(), "folds": self.folds}

    @functools.cached_property
    def notes(self) -> list[Note]:
        """All notes, with their folds."""
        return by_pitch(self._listed[0], self.seed) if self.folds == "pitch" else self._listed[0]

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The instruments, by name."""
        return tuple(sorted({note.instrument for note in self.notes}))

    @functools.cached_property
    def store(self) -> NoteStore:
        """The sounds on disk."""
        recipe = self.notes_recipe()
        folder = self.cache_dir / f"notes-{value_hash(recipe)}"
        return NoteStore(folder, len(self.notes), self._stored_samples, {"data": "notes", "recipe": recipe})

    def notes_recipe(self) -> dict[str, Any]:
        """Return everything that determines the sounds."""
        return {
            **self.origin.recipe(self.cache_dir / Memory.CONTENTS),
            "notes": value_hash([note.name for note in self.notes]),
            "sample_rate": self.log_mel.sample_rate,
            "samples": self._stored_samples,
            "code": code_signature(makers),
        }

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the notes, their folds, and the items' features."""
        return {
            "notes": self.notes_recipe(),
            "folds": [note.fold for note in self.notes],
            "instruments": [note.instrument for note in self.notes],
            "split": self.split,
            "seed": self.seed,
            "clip_seconds": self.clip_seconds,
            "features": self.features,
        }

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the recipe without features, and with the length of stored notes in seconds, not in samples."""
        kept = super().evaluation_recipe()
        notes = {k: v for k, v in kept["notes"].items() if k not in ("sample_rate", "samples")}
        return kept | {"notes": notes, "note_seconds": self.note_seconds}

    def code_modules(self) -> Sequence[ModuleType]:
        """Return the modules of the data set, of its items and of their features."""
        return module_of(self), mixer, mel

    def prepare_data(self) -> None:
        """Build the sounds, and the statistics of the training split.

        Raises:
            UserError: too many notes cannot be used, or a split has none of some instrument.
        """
        self.store.prepare(self._listed[1], self.workers, self.name, self.max_bad)
        self.setup()
        self.statistics()

    def setup(self, stage: str | None = None) -> None:
        """Check that every split has notes of every instrument.

        Raises:
            UserError: one has none of some instrument.
        """
        for split, by_class in self.pools.items():
            missing = [name for name, numbers in zip(self.classes, by_class, strict=True) if not len(numbers)]
            if missing:
                raise UserError(
                    f"{self.name}: folds {list(self.split[split])} ({split}) have no note of {', '.join(missing)}; "
                    "add notes, or choose other folds (data.split)"
                )

    @functools.cached_property
    def pools(self) -> dict[str, list[np.ndarray]]:
        """The numbers of the notes of each split, int64, by class; the sounds must be built."""
        return {split: self._by_class(split) for split in SPLITS}

    def _by_class(self, split: str) -> list[np.ndarray]:
        chosen = [
            int(number) for number in self.store.usable() if self.notes[number].fold in self.split[split]
        ]
        return [
            np.array([number for number in chosen if self.notes[number].instrument == name], np.int64)
            for name in self.classes
        ]

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each mel band over 256 training items, float32 (n_mels,) each."""
        file = self.folder / "statistics.json"
        values = read_json(file)
        if values is None:
            count = min(_STATISTICS_ITEMS, self.n_items["train"])
            features = torch.cat([spectrograms for spectrograms, _ in self._spectrograms("train", count)])
            deviation, mean = torch.std_mean(features, dim=(0, 1, 3), correction=0)
            values = {"mean": mean.tolist(), "deviation": deviation.clamp(min=1e-3).tolist()}
            write_json(file, values)
        return np.array(values["mean"], np.float32), np.array(values["deviation"], np.float32)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return `band_statistics` (n, 3 · n_mels) and targets of a split; for `train`, of 16,384 items at most."""
        count = self.n_items[split] if split != "train" else min(MOST_ITEMS, self.most_train_items)
        batches = self._spectrograms(split, count)
        described = [(band_statistics(spectrograms.numpy()), targets) for spectrograms, targets in batches]
        features, targets = zip(*described, strict=True)
        return np.concatenate(features), np.concatenate(targets)

    def groups(self, split: str) -> np.ndarray:
        """Return instrument and pitch of the notes of each item, int64 (N,), or (N, M) padded with −1.

        All notes of one pitch of one instrument are a group, whatever their dynamics and soundfont, since they sound
        alike even where `folds=own` puts them into several splits.
        """
        labels = {name: label for label, name in enumerate(self.classes)}
        kinds = [_PITCHES * labels[note.instrument] + note.pitch for note in self.notes]
        groups: np.ndarray = np.array([*kinds, -1], np.int64)[self.numbers(split)]
        return groups

    @property
    def most_train_items(self) -> int:
        """Number of different training items that there are in all epochs together, as far as baselines need them."""
        return self.n_items["train"]

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training items of each class and of each number of classes, to listen to and look at.

        Args:
            folder: gets `.wav` and `.png` files whose names say what plays, and `classes.csv`/`.png` of the first
                2,048 items of each split.
        """
        makers = {split: self.maker(split) for split in SPLITS}

        def write(index: int, stem: Path) -> None:
            sound, _ = makers["train"](np.array([index]))
            write_clip(stem, sound, self.log_mel(torch.from_numpy(sound)).numpy(), self.log_mel)

        counts = {split: min(_SHEET_ITEMS, self.n_items[split]) for split in SPLITS}
        marks = {split: make.marks(np.arange(counts[split])) for split, make in makers.items()}
        write_contact_sheet(folder, write, self.classes, marks)

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Return a loader of training batches: sounds (B, samples) and targets."""
        return sound_loader(SoundDataset(self.maker("train")), self.train_batches(), self._loaders())

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Return a loader of all validation items in order."""
        return self._ordered("val")

    def test_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Return a loader of all test items in order."""
        return self._ordered("test")

    def _ordered(self, split: str) -> DataLoader[tuple[Tensor, ...]]:
        make = self.maker(split)
        dataset = SoundDataset(make) if self.shifts == (0.0,) else ShiftedSounds(make, self.shifts)
        batches = OrderedBatches(self.n_items[split], self.batch_size)
        return sound_loader(dataset, batches, self._loaders())

    def _loaders(self) -> int:
        if isinstance(self.loaders, int):
            return self.loaders
        return max(0, cores() - 1) if torch.cuda.is_available() else 0

    def _spectrograms(self, split: str, count: int) -> Iterator[tuple[Tensor, np.ndarray]]:
        """Yield spectrograms (B, 1, n_mels, T) and targets of `count` items, spread evenly over a split.

        More than a split has are those of further epochs.
        """
        make = self.maker(split)
        chosen = np.linspace(0, max(self.n_items[split], count) - 1, count).astype(np.int64)
        for start in range(0, count, _BLOCK):
            sounds, targets = make(chosen[start : start + _BLOCK])
            with torch.inference_mode():
                yield self.log_mel(torch.from_numpy(sounds)).unsqueeze(1), targets

    @functools.cached_property
    def _listed(self) -> tuple[list[Note], Maker]:
        """The notes, and the maker of their sounds."""
        return self.origin.listed(self.log_mel.sample_rate, self._stored_samples)

    @property
    def _stored_samples(self) -> int:
        return round(self.note_seconds * self.log_mel.sample_rate)
