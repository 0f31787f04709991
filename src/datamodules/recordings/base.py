"""What data sets of recordings have in common: a survey of all files, windows, and evaluation by whole recording."""

import functools
import importlib.metadata
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar

import numpy as np
from torch.utils.data import DataLoader

from src.audio.mel import log_mel
from src.audio.sound_file import decoders
from src.datamodules import window_features, window_plan
from src.datamodules.arrays import ArrayDataModule, hashed_groups
from src.datamodules.batches import RecordingDataset, WholeRecordings, loader
from src.datamodules.contact_sheet import write_clip, write_contact_sheet
from src.datamodules.lists import write_left_out, write_manifest
from src.datamodules.options import DataOptions, Features, Folder, Shares
from src.datamodules.recordings.file_survey import FileSurvey
from src.datamodules.window_features import WindowMaker
from src.datamodules.window_plan import Plan, checked_labels, planned, targets_of
from src.errors import UserError
from src.fingerprint import value_hash
from src.metrics.band_statistics import band_statistics
from src.paths import no_folder
from src.preparation import chunks, survey
from src.preparation.card import Card
from src.rules import null, one_of, seconds, share, whole
from src.splitting import assigning
from src.splitting.assigning import AssignedSplits, assign_splits
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


class RecordingOptions(DataOptions):
    """Options of every data set of recordings.

    Args:
        root: the folder of the data set.
        features: parameters of `src.audio.mel.LogMel`; sound is resampled to its sample_rate.
        channels: 1 or 2; for 2, mono files are copied to both channels.
        clip_seconds: length of a window, s.
        stride_seconds: from the start of one window to the start of the next, s.
        pool: how a model's outputs for the windows of a recording are combined: `mean` or `max`.
        seed: of the split, >= 0; `None` where the data set has its own split.
        split: share of each split in the recordings that have none yet; `None` where the data set has its own split.
        max_bad: the greatest share of files that may be left out, 0..1.
    """

    root: Folder
    features: Features
    channels: Annotated[int, one_of(1, 2)]
    clip_seconds: Annotated[float, seconds]
    stride_seconds: Annotated[float, seconds]
    pool: Annotated[str, one_of("mean", "max")]
    seed: Annotated[int | None, whole(0) | null()]
    split: Shares
    max_bad: Annotated[float, share]


class Recordings(ArrayDataModule):
    """Labelled sound files, cut into windows of one length; validation and test evaluate whole recordings.

    Every file is decoded once before features are built. `manifest.csv` in the data's folder lists the files that are
    used, `left_out.csv` the others with the reasons. A subclass sets `name`, `target`, `classes` and, for a published
    data set, `card`, and lists its recordings.

    Attributes:
        card: where to get the data set; `None` for one's own files.
        pool: how a model's outputs for the windows of a recording are combined: `mean` or `max`.
        n_items: windows by split; empty before `prepare_data` or `setup`.

    Args:
        cache_dir: prepared data lie in `<cache_dir>/<name>-<signature>`.
        batch_size: windows a batch.
        shuffle_seed: of the order of training windows, >= 0.
        options: see `RecordingOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    grouped_by: ClassVar[str] = "group"
    card: ClassVar[Card | None] = None
    root: Path | None

    Options = RecordingOptions
    options: RecordingOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.root = None if options.root is None else Path(options.root).expanduser().resolve()
        self.features, self.channels = dict(options.features), options.channels
        self.pool, self.max_bad = options.pool, options.max_bad
        self.seed, self.shares = options.seed, options.split
        mel = log_mel(self.features)
        self.sample_rate = mel.sample_rate
        self.length = round(options.clip_seconds * mel.sample_rate)
        self.stride = round(options.stride_seconds * mel.sample_rate)
        if not (self.length and self.stride):
            raise UserError("data.clip_seconds and data.stride_seconds: choose at least one sample")
        self.item_shape = (self.channels, mel.n_mels, mel.frames(self.length))
        self.n_items = {}

    @abstractmethod
    def recordings(self) -> list[Recording]:
        """Return the files below the root; those with wrong labels have a `problem`.

        Raises:
            UserError: the folder does not have the layout of the data set.
        """

    def check(self) -> None:
        """Check that the folder exists.

        Raises:
            UserError: it does not; the message says where to get the data.
        """
        self.folder_of_data()

    def folder_of_data(self) -> Path:
        """Return the root.

        Raises:
            UserError: it is not set or does not exist.
        """
        if self.root is None or not self.root.is_dir():
            if self.card is not None:
                raise self.card.missing(self.root)
            problem = "data.root is not set" if self.root is None else no_folder(self.root)
            raise UserError(f"{problem}: name a folder of sound files, data.root=FOLDER")
        return self.root

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path."""
        return {"root": str(self.folder_of_data())}

    def recipe(self) -> dict[str, Any]:
        """Return options, labels, a hash of the files' content, and the versions of the libraries that decode them."""
        return {
            "recordings": value_hash([list(asdict(item).values()) for item in self._survey.listed]),
            "files": self._survey.content,
            "classes": self.classes,
            "features": self.features,
            "channels": self.channels,
            "windows": [self.length, self.stride],
            "split": self.shares,
            "seed": self.seed,
            **decoders(),
            "versions": {name: importlib.metadata.version(name) for name in ("soxr", "torchaudio")},
        }

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the recipe without features, and with windows in seconds, not in samples."""
        windows = [self.options.clip_seconds, self.options.stride_seconds]
        return super().evaluation_recipe() | {"windows": windows}

    def code_modules(self) -> Sequence[ModuleType]:
        """Return the modules that choose, split and cut recordings, and the one that writes the items."""
        return assigning, window_plan, survey, window_features, chunks

    def maker(self) -> WindowMaker:
        """Return the callable that makes window i."""
        plan = self._plan
        return WindowMaker(
            root=self.folder_of_data(),
            paths=tuple(recording.path for recording in plan.recordings),
            targets=targets_of(plan.recordings, self.classes, one_class=self.target == "multiclass"),
            groups=plan.groups,
            recording=plan.recording,
            starts=plan.starts,
            length=self.length,
            channels=self.channels,
            features=self.features,
        )

    def prepare_data(self) -> None:
        """Decode all files once to survey them, then build the features that are missing.

        Raises:
            UserError: too many files cannot be used, the split is impossible (see `src.splitting.assigning`), or the
                disk is full.
        """
        self._survey.prepare(self.workers, self.sample_rate)
        self.n_items = self._plan.n_items
        super().prepare_data()
        if not (self.folder / "manifest.csv").exists():
            self._assigned.say_duplicates(self.name)
            write_left_out(self.folder / "left_out.csv", self.left_out())
            write_manifest(self.folder / "manifest.csv", self._plan)

    def setup(self, stage: str | None = None) -> None:
        """Open the data and check that no two splits share a group.

        Raises:
            UserError: two splits do, or the data are not built.
        """
        self.n_items = self._plan.n_items
        super().setup(stage)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the data that baselines are measured on.

        Returns:
            For `train`, and for a split whose recordings all have one window: features (n, channels, n_mels, frames)
            and targets of its windows. Otherwise one entry for each recording: the mean of `band_statistics` over its
            windows, float32 (n, 3 · channels · n_mels), and its targets.

        Raises:
            UserError: the data are not built.
        """
        features, targets = super().arrays(split)
        counts = self.counts(split)
        if split == "train" or (counts == 1).all():
            return features, targets
        starts = np.cumsum(counts) - counts
        sums = np.add.reduceat(band_statistics(features), starts, axis=0)
        return sums / counts[:, None].astype(np.float32), targets[starts]

    def groups(self, split: str) -> np.ndarray:
        """Return the group of each recording of a split, int64 (n_recordings,)."""
        return hashed_groups(self._plan.groups[self._plan.of_split(split)])

    def counts(self, split: str) -> np.ndarray:
        """Return the number of windows of each recording of a split, int64 (n_recordings,)."""
        return self._plan.counts[self._plan.of_split(split)]

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each mel band, float32 (n_mels,) each.

        They are 0 and 1 where the features of each clip are normalised already.
        """
        if self.features.get("scaling") == "z_norm":
            n_mels = self.item_shape[1]
            return np.zeros(n_mels, np.float32), np.ones(n_mels, np.float32)
        return super().statistics()

    def left_out(self) -> list[tuple[str, str]]:
        """Return path and reason of each file that is not used."""
        return self._survey.left_out()

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`.

        Name, signature; windows, recordings and seconds by split; the number of files that are left out, and of those
        whose audio is in more than one split.
        """
        plan = self._plan
        splits = {split: plan.of_split(split) for split in SPLITS}
        return {
            **super().summary(),
            "recordings": {split: chosen.stop - chosen.start for split, chosen in splits.items()},
            "seconds": {
                split: round(float(plan.seconds[chosen].sum()), 3) for split, chosen in splits.items()
            },
            "left_out": len(self.left_out()),
            "shared_sounds": self._assigned.duplicates,
        }

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training windows of each class to listen to and look at, and how often each class occurs.

        Args:
            folder: gets `.wav` and `.png` files named by their labels, and `classes.csv`/`.png`.
        """
        maker, targets = self.maker(), targets_of(self._plan.recordings, self.classes, one_class=False)
        firsts = np.cumsum(self._plan.counts) - self._plan.counts

        def write(recording: int, stem: Path) -> None:
            waveform = maker.waveform(int(firsts[recording]))
            write_clip(stem, waveform, maker.log_mel(waveform), maker.mel)

        marks = {split: targets[self._plan.of_split(split)] for split in SPLITS}
        write_contact_sheet(folder, write, self.classes, marks)

    def _ordered(self, split: str) -> DataLoader[Any]:
        counts = self.counts(split)
        if (counts == 1).all():
            return super()._ordered(split)
        dataset = RecordingDataset(*super().arrays(split), counts)
        return loader(dataset, WholeRecordings(counts, self.batch_size))

    @functools.cached_property
    def _survey(self) -> FileSurvey:
        one_class = self.target == "multiclass"
        listed = [checked_labels(item, self.classes, one_class=one_class) for item in self.recordings()]
        return FileSurvey(self.name, self.folder_of_data(), listed, self.cache_dir, self.channels)

    @functools.cached_property
    def _assigned(self) -> AssignedSplits:
        recordings, surveyed = self._survey.used()
        return assign_splits(
            self.name,
            recordings,
            surveyed["digest"],
            classes=self.classes,
            shares=self.shares,
            seed=self.seed,
            published=self.card is not None,
            remedy=f"all of {self.card.name} is at {self.card.url}" if self.card else "give more files",
        )

    @functools.cached_property
    def _plan(self) -> Plan:
        self._survey.check_left_out(self.max_bad)
        _, surveyed = self._survey.used()
        windows = {"sample_rate": self.sample_rate, "length": self.length, "stride": self.stride}
        return planned(self._assigned.recordings, surveyed["frames"], surveyed["rate"], **windows)
