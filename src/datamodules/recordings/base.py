"""What data sets of recorded clips share: files that are heard first, cut into windows, and judged whole."""

import functools
import importlib.metadata
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar

import numpy as np
import soundfile
from torch.utils.data import DataLoader

from src.audio.mel import log_mel
from src.datamodules import window_features, window_plan
from src.datamodules.arrays import ArrayDataModule
from src.datamodules.batches import RecordingDataset, WholeRecordings, loader
from src.datamodules.contact_sheet import write_clip, write_contact_sheet
from src.datamodules.lists import write_left_out, write_manifest
from src.datamodules.options import DataOptions, Features, Folder, Shares
from src.datamodules.recordings.hearing import Hearing
from src.datamodules.window_features import WindowMaker
from src.datamodules.window_plan import Plan, checked_labels, planned, targets_of
from src.errors import UserError
from src.fingerprint import value_hash
from src.metrics.band_statistics import band_statistics
from src.preparation import chunks, survey
from src.preparation.card import Card
from src.rules import null, one_of, seconds, share, whole
from src.splitting import assigning
from src.splitting.assigning import AssignedSplits, assign_splits
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


class RecordingOptions(DataOptions):
    """What every data set of recordings has.

    Args:
        root: the folder of the data set.
        features: parameters of `src.audio.mel.LogMel`; sound is resampled to its sample_rate.
        channels: 1 or 2; mono files are doubled for 2.
        clip_seconds: length of a window.
        stride_seconds: from one window to the next.
        pool: how a model's outputs for the windows of a recording become one: `mean` or `max`.
        seed: of the split; `None` where the data set has its own.
        split: shares of the recordings without a split, by split; `None` where the data set has its own split.
        max_bad: the greatest share of files that may be left out.
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
    """Sound files with labels, in windows of one length; validation and test are judged by whole recording.

    Before features are built every file is decoded once. Which files are used then, and why others are not, is
    in `manifest.csv` and `left_out.csv` in the data's folder. A subclass sets `name`, `target`, `classes` and, of a
    published data set, `card`, and lists its recordings.

    Attributes:
        card: where to get the data set; `None` for one's own files.
        pool: how a model's outputs for the windows of a recording become one: `mean` or `max`.
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
            raise UserError("data.clip_seconds and data.stride_seconds: choose a sample or more of sound")
        self.item_shape = (self.channels, mel.n_mels, mel.frames(self.length))
        self.n_items = {}

    @abstractmethod
    def recordings(self) -> list[Recording]:
        """List the files below the root, those that are wrongly labelled with their `problem`.

        Raises:
            UserError: the folder does not look as it must.
        """

    def check(self) -> None:
        """Refuse a missing folder.

        Raises:
            UserError: there is none; the message says where to get the data.
        """
        self.folder_of_data()

    def folder_of_data(self) -> Path:
        """Give the root.

        Raises:
            UserError: it is not set or not there.
        """
        if self.root is None or not self.root.is_dir():
            if self.card is not None:
                raise self.card.missing(self.root)
            what = "data.root is not set" if self.root is None else f"{self.root} is not there"
            raise UserError(f"{what}: give a folder of sound files, data.root=FOLDER")
        return self.root

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path."""
        return {"root": str(self.folder_of_data())}

    def recipe(self) -> dict[str, Any]:
        """Give the options, all labels, the content of the files, and the versions of what decodes them."""
        return {
            "recordings": value_hash([list(asdict(item).values()) for item in self._hearing.listed]),
            "files": self._hearing.content,
            "classes": self.classes,
            "features": self.features,
            "channels": self.channels,
            "windows": [self.length, self.stride],
            "split": self.shares,
            "seed": self.seed,
            "libsndfile": soundfile.__libsndfile_version__,
            "versions": {name: importlib.metadata.version(name) for name in ("soxr", "torchaudio")},
        }

    def code_modules(self) -> Sequence[ModuleType]:
        """Give the modules that choose, divide and cut recordings, and how items are written."""
        return assigning, window_plan, survey, window_features, chunks

    def maker(self) -> WindowMaker:
        """Give what makes window i."""
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
        """Hear all files, then build what is missing.

        Raises:
            UserError: too many files cannot be used, the split is wrong (see `src.splitting.assigning`), or the disk
                is full.
        """
        self._hearing.prepare(self.workers, self.sample_rate, self.channels)
        self.n_items = self._plan.n_items
        super().prepare_data()
        if not (self.folder / "manifest.csv").exists():
            self._assigned.say_duplicates(self.name)
            write_left_out(self.folder / "left_out.csv", self.left_out())
            write_manifest(self.folder / "manifest.csv", self._plan)

    def setup(self, stage: str | None = None) -> None:
        """Open the data and refuse splits that share a group.

        Raises:
            UserError: they do, or the data are not built.
        """
        self.n_items = self._plan.n_items
        super().setup(stage)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Give what the baselines are measured on.

        Returns:
            Features (n, channels, n_mels, frames) and targets of the windows of `train`, or of a part whose
            recordings all have one window. Else one entry a recording: the mean over its windows of
            `band_statistics`, float32 (n, 3 · channels · n_mels), and its targets.

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

    def counts(self, split: str) -> np.ndarray:
        """Count the windows of each recording of a split, int64 (n_recordings,)."""
        return self._plan.counts[self._plan.of_split(split)]

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and deviation of each mel band, float32 (n_mels,); 0 and 1 where each clip is normalised."""
        if self.features.get("scaling") == "z_norm":
            n_mels = self.item_shape[1]
            return np.zeros(n_mels, np.float32), np.ones(n_mels, np.float32)
        return super().statistics()

    def left_out(self) -> list[tuple[str, str]]:
        """Give path and reason of each file that is not used."""
        return self._hearing.left_out()

    def summary(self) -> dict[str, Any]:
        """Give name, signature, windows, recordings and seconds by split, how many are left out or in two parts."""
        plan = self._plan
        parts = {split: plan.of_split(split) for split in SPLITS}
        return {
            **super().summary(),
            "recordings": {split: part.stop - part.start for split, part in parts.items()},
            "seconds": {split: round(float(plan.seconds[part].sum()), 3) for split, part in parts.items()},
            "left_out": len(self.left_out()),
            "shared_sounds": self._assigned.duplicates,
        }

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training windows of each class to be heard and looked at, and how often each occurs.

        Args:
            folder: gets `.wav` and `.png` files whose names say what they are labelled, and `classes.csv`/`.png`.
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
    def _hearing(self) -> Hearing:
        one_class = self.target == "multiclass"
        listed = [checked_labels(item, self.classes, one_class=one_class) for item in self.recordings()]
        return Hearing(self.name, self.folder_of_data(), listed, self.cache_dir)

    @functools.cached_property
    def _assigned(self) -> AssignedSplits:
        recordings, heard = self._hearing.used()
        return assign_splits(
            self.name,
            recordings,
            heard["digest"],
            classes=self.classes,
            shares=self.shares,
            seed=self.seed,
            published=self.card is not None,
            remedy=f"all of {self.card.name} is at {self.card.url}" if self.card else "give more files",
        )

    @functools.cached_property
    def _plan(self) -> Plan:
        self._hearing.check_left_out(self.max_bad)
        _, heard = self._hearing.used()
        windows = {"sample_rate": self.sample_rate, "length": self.length, "stride": self.stride}
        return planned(self._assigned.recordings, heard["frames"], heard["rate"], **windows)
