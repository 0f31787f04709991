"""What data sets of music as sequences have in common: features built once, a split by group, padded batches."""

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar

import numpy as np
from torch.utils.data import DataLoader

from src.datamodules.base import DataModule
from src.datamodules.batches import OrderedBatches, ShuffledBatches, loader
from src.datamodules.contact_sheet import write_contact_sheet
from src.datamodules.item_groups import named_groups
from src.datamodules.lists import check_left_out, say_left_out, write_left_out, write_sequences
from src.datamodules.options import DataOptions, Seed, Shares
from src.datamodules.sequences.batches import SequenceDataset
from src.datamodules.sequences.choice import Choice
from src.datamodules.sequences.rows import MAX_FRAMES, ROWS, rows
from src.datamodules.sequences.sheet import draw_features
from src.datamodules.sequences.statistics import moments, statistics_over_time
from src.datamodules.sequences.store import SequenceMaker, SequenceStore
from src.datamodules.window_plan import checked_labels, targets_of
from src.errors import UserError
from src.fingerprint import read_json, value_hash, write_json
from src.preparation.code import code_signature, module_of
from src.rules import flag, null, one_of, share, whole
from src.splitting import assigning
from src.splitting.assigning import AssignedSplits, assign_splits
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS


class SequenceOptions(DataOptions):
    """Options of every data set of sequences.

    Args:
        features: `mel`, `chroma`, or `fused` for both.
        beat_sync: whether a frame is a beat.
        max_frames: number of frames kept of an item, from its beginning; `None`: see `SequenceDataModule.most_frames`.
        seed: of the split, >= 0.
        split: share of each split that is drawn, 0..1; `None` where the data set has its own split.
        max_bad: the greatest share of items that may be left out, 0..1.
    """

    features: Annotated[str, one_of(*ROWS)]
    beat_sync: Annotated[bool, flag]
    max_frames: Annotated[int | None, whole(1) | null("for all")]
    seed: Seed
    split: Shares
    max_bad: Annotated[float, share]


class SequenceDataModule(DataModule):
    """Items of 128 mel and 12 chroma rows and any number of frames; a frame has a fixed length or is a beat.

    All 140 rows are built once and stored in `<cache_dir>/<name>_items-<hash>`; the rows that are used and the split
    are chosen when they are opened, so that changing them needs no new build. `manifest.csv` in the data's folder lists
    the items that are used, `left_out.csv` the others with the reasons. A subclass sets `name`, `target`, `classes`
    and, for a published data set, `card`, lists its items, and returns their maker.

    Attributes:
        n_items: number of items of each split; empty before `prepare_data` or `setup`.

    Args:
        cache_dir, batch_size, shuffle_seed: see `DataModule`.
        options: see `SequenceOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    inputs = "sequences"
    feature_options = ("features", "beat_sync")
    target = "multiclass"
    grouped_by: ClassVar[str] = "group"

    Options: ClassVar[type[DataOptions]] = SequenceOptions
    options: SequenceOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.features, self.beat_sync, self.rows = options.features, options.beat_sync, rows(options.features)
        self.seed, self.shares, self.max_bad = options.seed, options.split, options.max_bad
        self.max_frames = self.most_frames() if options.max_frames is None else options.max_frames
        self.item_shape = (1, self.rows.stop - self.rows.start, self.max_frames)
        self.n_items = {}

    def most_frames(self) -> int:
        """Return the number of frames kept of an item if `max_frames` is `None`: 1293, or 129 beats, as published."""
        return MAX_FRAMES[self.beat_sync]

    @abstractmethod
    def items(self) -> list[Recording]:
        """Return the items; those with wrong labels have a `problem`.

        Raises:
            UserError: they cannot be listed; the message says what to do.
        """

    @abstractmethod
    def maker(self) -> SequenceMaker:
        """Return the maker of the items' features; the code of its module and of all it imports is in the signature."""

    @abstractmethod
    def store_recipe(self) -> Mapping[str, Any]:
        """Return plain values that determine the features: options, hashes of files, versions of libraries."""

    def targets(self, items: Sequence[Recording]) -> np.ndarray:
        """Return the targets of items: int64 (n,) for classes, float32 (n, n_numbers) for numbers."""
        return targets_of(items, self.classes, one_class=True)

    def check(self) -> None:
        """Check that the labels allow the split, and that the disk has room.

        Raises:
            UserError: they do not, or it has not; the message says what to do.
        """
        self.check_items()
        if not self.store.cache.is_complete():
            self.store.cache.check_space()

    def check_items(self) -> None:
        """Check the labels: few unusable items, no empty split, no group in two splits.

        Items with identical audio are only found when features are built.

        Raises:
            UserError: the labels fail a check.
        """
        problems = [(item.path, item.problem) for item in self.listed if item.problem]
        check_left_out(self.name, problems, len(self.listed), self.max_bad)
        fine = [item for item in self.listed if not item.problem]
        assigned = self._assign(fine, np.arange(len(fine), dtype=np.uint64))
        self.n_items = {split: sum(item.split == split for item in assigned.recordings) for split in SPLITS}

    def resolved(self) -> dict[str, Any]:
        """Return the number of frames that are kept."""
        return {"max_frames": self.max_frames}

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the features, what is used of them, and the split."""
        listed = [[item.path, *item.labels, item.group, item.split, item.problem] for item in self.listed]
        return {
            "store": self.store.folder.name,
            "items": value_hash(listed),
            "classes": self.classes,
            "features": self.features,
            "split": self.shares,
            "seed": self.seed,
        }

    def code_modules(self) -> Sequence[ModuleType]:
        """Return the modules that make, choose and split the items."""
        return module_of(self), module_of(self.maker()), assigning

    def prepare_data(self) -> None:
        """Build the features of all items, and print which items cannot be used.

        Raises:
            UserError: too many items cannot be used, the split is impossible (see `src.splitting.assigning`), or the
                disk is full.
        """
        fresh = not self.store.cache.is_complete()
        self.store.prepare(self.maker(), self.workers, self.name)
        if fresh:
            say_left_out(self.name, self.left_out(), len(self.listed))
        self.setup()
        if not (self.folder / "manifest.csv").exists():
            self.choice.assigned.say_duplicates(self.name)
            write_left_out(self.folder / "left_out.csv", self.left_out())
            frames = self._stored["frames"][np.concatenate([self.numbers[split] for split in SPLITS])]
            write_sequences(self.folder / "manifest.csv", self.used_items(), frames)
        self.statistics()

    def setup(self, stage: str | None = None) -> None:
        """Open the features and split the items.

        Raises:
            UserError: the features are not built, too many items cannot be used, or the split is impossible.
        """
        self.n_items = {split: len(numbers) for split, numbers in self.numbers.items()}

    def left_out(self) -> list[tuple[str, str]]:
        """Return path and reason of each item that is not used."""
        return self.choice.left_out

    def used_items(self) -> list[Recording]:
        """Return the items that are used, each with its split, in the order `train`, `val`, `test`."""
        return [item for split in SPLITS for item in self.choice.items(split)]

    @property
    def numbers(self) -> dict[str, np.ndarray]:
        """For each split, the numbers of its items in the list of all, int64 (n,)."""
        return self.choice.numbers

    def dataset(self, split: str) -> SequenceDataset:
        """Return the items of a split."""
        stored, targets = self._stored, self.targets(self.choice.items(split))
        return SequenceDataset(stored["features"], stored["frames"], self.numbers[split], targets, self.rows)

    def groups(self, split: str) -> np.ndarray:
        """Return the group of each item of a split, int64 (n,)."""
        return named_groups(item.group for item in self.choice.items(split))

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the data that baselines are measured on.

        Returns:
            Mean, standard deviation and maximum of each row over the frames of an item, float32 (n, 3 · n_rows), and
            targets.

        Raises:
            UserError: the features are not built.
        """
        data = self.dataset(split)
        batches = [data[numbers] for numbers in OrderedBatches(len(data), self.batch_size)]
        found = [statistics_over_time(features.numpy(), lengths.numpy()) for features, _, lengths in batches]
        return np.concatenate(found), np.concatenate([targets.numpy() for _, targets, _ in batches])

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each row over the frames of training items, float32 (n_rows,) each.

        A row that never changes gets a deviation of 1.

        Raises:
            UserError: the features are not built.
        """
        file = self.folder / "statistics.json"
        values = read_json(file)
        if values is None:
            data = self.dataset("train")
            batches = (data[numbers] for numbers in OrderedBatches(len(data), self.batch_size))
            mean, deviation = moments((features.numpy(), lengths.numpy()) for features, _, lengths in batches)
            values = {"mean": mean.tolist(), "deviation": deviation.tolist()}
            write_json(file, values)
        return np.array(values["mean"], np.float32), np.array(values["deviation"], np.float32)

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`.

        Name, signature; items and mean number of frames by split; the number of items that are left out, and of those
        whose features are in more than one split.
        """
        frames = {split: self._stored["frames"][numbers] for split, numbers in self.numbers.items()}
        return {
            **super().summary(),
            "frames": {split: round(float(of_split.mean()), 1) for split, of_split in frames.items()},
            "left_out": len(self.left_out()),
            "shared_items": self.choice.assigned.duplicates,
        }

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training items of each class to be looked at, and how often each class occurs.

        Args:
            folder: gets what `write_item` writes, and `classes.csv`/`.png`.
        """
        items = {split: self.choice.items(split) for split in SPLITS}
        marks = {split: targets_of(items[split], self.classes, one_class=False) for split in SPLITS}

        def write(index: int, stem: Path) -> None:
            self.write_item(int(self.numbers["train"][index]), stem)

        write_contact_sheet(folder, write, self.classes, marks)

    def write_item(self, number: int, stem: Path) -> None:
        """Write an item as a picture and, if the data set has sound, as sound.

        Args:
            number: of the item in the list of all.
            stem: path without suffix.
        """
        stored = self._stored
        features = stored["features"][number, :, : stored["frames"][number]].astype(np.float32)
        draw_features(features, stem, beats=self.beat_sync)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return a loader of training batches whose order depends only on `shuffle_seed` and the epoch."""
        count = self.n_items["train"]
        batches = ShuffledBatches(count, self.batch_size, self.shuffle_seed, *self._place())
        return loader(self.dataset("train"), batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return a loader of all validation items in order."""
        return self._ordered("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return a loader of all test items in order."""
        return self._ordered("test")

    def _ordered(self, split: str) -> DataLoader[Any]:
        return loader(self.dataset(split), OrderedBatches(self.n_items[split], self.batch_size))

    @functools.cached_property
    def listed(self) -> list[Recording]:
        """All items; those with wrong labels have a `problem`. Numbers as labels are checked by their data set."""
        if self.target == "regression":
            return self.items()
        return [checked_labels(item, self.classes, one_class=True) for item in self.items()]

    @functools.cached_property
    def store(self) -> SequenceStore:
        """The features on disk."""
        recipe = {
            **self.store_recipe(),
            "paths": value_hash([item.path for item in self.listed]),
            "beat_sync": self.beat_sync,
            "max_frames": self.max_frames,
            "code": code_signature(module_of(self.maker())),
        }
        folder = self.cache_dir / f"{self.name}_items-{value_hash(recipe)}"
        return SequenceStore(folder, len(self.listed), self.max_frames, {"data": self.name, "recipe": recipe})

    @functools.cached_property
    def _stored(self) -> dict[str, np.ndarray]:
        if not self.store.cache.is_complete():
            raise UserError(f"{self.store.folder} is not built; run the command with mode=prepare")
        stored = self.store.open()
        return {**stored, "frames": np.array(stored["frames"]), "digest": np.array(stored["digest"])}

    @functools.cached_property
    def choice(self) -> Choice:
        """Which items are used, and their splits; the features must be built."""
        return Choice(self.name, self.listed, self._stored, self.maker(), self.max_bad, self._assign)

    def _assign(self, items: Sequence[Recording], digests: np.ndarray) -> AssignedSplits:
        return assign_splits(
            self.name,
            items,
            digests,
            classes=() if self.target == "regression" else self.classes,
            shares=self.shares,
            seed=self.seed,
            published=self.card is not None,
            remedy=self.remedy,
        )

    @property
    def remedy(self) -> str:
        """What a user can do if a split has no item."""
        if self.shares is None:
            return "give shares of the items, data.split={val: share, test: share}"
        return f"all of {self.card.name} is at {self.card.url}" if self.card else "give more files"
