"""What data sets have in common whose items all have one shape and are stored as arrays."""

import functools
import itertools
import json
from abc import abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from src.datamodules.base import DataModule
from src.datamodules.batches import ArrayDataset, OrderedBatches, ShuffledBatches, loader
from src.errors import UserError
from src.fingerprint import write_json
from src.preparation import chunks
from src.preparation.builder import Builder
from src.preparation.cache import ArrayCache
from src.preparation.chunks import ChunkedArrays, Maker
from src.preparation.code import module_of
from src.splitting.splits import SPLITS

_STATISTICS_ITEMS = 256
_TARGET_TYPES = {"multilabel": "uint8", "multiclass": "int64", "regression": "float32"}


class ArrayDataModule(DataModule):
    """A data set that is built into arrays `features`, `targets` and `pieces`, all splits one after another.

    A subclass sets the attributes of `DataModule` and those below, and says how an item is made.

    Attributes:
        item_shape: (channels, n_mels, frames), known before anything is built.
        n_items: likewise, unless `prepare_data` and `setup` are overridden and find it out first.
    """

    item_shape: tuple[int, int, int]

    @abstractmethod
    def maker(self) -> Maker:
        """Return the callable that makes item i; the code of its module and of all it imports is in the signature."""

    def code_modules(self) -> Sequence[ModuleType]:
        """Return the maker's module and the one that writes its items."""
        return module_of(self.maker()), chunks

    def check(self) -> None:
        """Check that the prepared data fit on the disk.

        Raises:
            UserError: they do not; the message says what to do.
        """
        if not self.cache.is_complete():
            self.cache.check_space()

    @functools.cached_property
    def cache(self) -> ArrayCache[ChunkedArrays]:
        """The arrays on disk."""
        one_target = () if self.target == "multiclass" else (len(self.classes),)
        arrays = {
            "features": ("float16", self.item_shape),
            "targets": (_TARGET_TYPES[self.target], one_target),
            "pieces": ("uint64", ()),
        }
        files = ChunkedArrays(self.folder, sum(self.n_items.values()), arrays)
        return ArrayCache(files, {"data": self.name, "items": self.n_items, "recipe": self.recipe()})

    def prepare_data(self) -> None:
        """Build what is missing.

        Raises:
            UserError: it cannot be built; the message says what to do.
        """
        self.cache.prepare(Builder(self.maker(), self.workers, self.name))

    def setup(self, stage: str | None = None) -> None:
        """Open the data and check that no two splits share a piece.

        Raises:
            UserError: two splits do, or the data are not built.
        """
        pieces = self._arrays["pieces"]
        for first, second in itertools.combinations(SPLITS, 2):
            shared = np.intersect1d(pieces[self._slice(first)], pieces[self._slice(second)])
            if len(shared):
                raise UserError(
                    f"{self.name}: {first} and {second} share {len(shared)} {self.grouped_by}(s); "
                    "choose another data.seed, or wider ranges to draw from"
                )

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return features and targets of a split, mapped into memory but not read yet.

        Features are float16 (n, channels, n_mels, frames), targets (n, n_classes), or (n,) if each item has one class.

        Raises:
            UserError: the data are not built.
        """
        items = self._slice(split)
        return self._arrays["features"][items], self._arrays["targets"][items]

    def groups(self, split: str) -> np.ndarray:
        """Return the piece of each item, int64 (n,).

        Raises:
            UserError: the data are not built.
        """
        return hashed_groups(self._arrays["pieces"][self._slice(split)])

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each mel band over training items and channels, float32 (n_mels,) each.

        A band that never changes gets a deviation of 1.

        Raises:
            UserError: the data are not built.
        """
        file = self.folder / f"statistics{self.statistics_suffix}.json"
        if not file.exists():
            mean, deviation = _moments(self.training_features())
            write_json(file, {"mean": mean.tolist(), "deviation": deviation.tolist()})
        values = json.loads(file.read_text(encoding="utf-8"))
        return np.array(values["mean"], np.float32), np.array(values["deviation"], np.float32)

    def training_features(self) -> np.ndarray:
        """Return the features that `statistics` describes, those of all training items."""
        return self.arrays("train")[0]

    def train_dataloader(self) -> DataLoader[Any]:
        """Return a loader of training batches whose order depends only on `shuffle_seed` and the epoch."""
        rank, world = self._place()
        count = self.n_items["train"]
        batches = ShuffledBatches(count, self.batch_size, self.shuffle_seed, rank, world)
        return loader(ArrayDataset(*self.arrays("train")), batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return a loader of all validation items in order; every process gets all of them."""
        return self._ordered("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return a loader of all test items in order; every process gets all of them."""
        return self._ordered("test")

    def _ordered(self, split: str) -> DataLoader[Any]:
        batches = OrderedBatches(self.n_items[split], self.batch_size, 0, 1)
        return loader(ArrayDataset(*self.arrays(split)), batches)

    def _slice(self, split: str) -> slice:
        start = sum(self.n_items[before] for before in SPLITS[: SPLITS.index(split)])
        return slice(start, start + self.n_items[split])

    @functools.cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        if not self.cache.is_complete():
            raise UserError(f"{self.folder} is not built; run the command with mode=prepare")
        return self.cache.files.open()


def hashed_groups(hashes: np.ndarray) -> np.ndarray:
    """Return groups by hashes of them, uint64 (n,): the hashes without their last bit, int64 (n,), >= 0."""
    return (np.asarray(hashes, np.uint64) >> np.uint64(1)).astype(np.int64)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sums = np.zeros((2, features.shape[2]))
    for start in range(0, len(features), _STATISTICS_ITEMS):
        block = features[start : start + _STATISTICS_ITEMS].astype(np.float64)
        sums += block.sum(axis=(0, 1, 3)), np.square(block).sum(axis=(0, 1, 3))
    mean, square = sums / (len(features) * features.shape[1] * features.shape[3])
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return mean, np.where(deviation > 1e-6, deviation, 1.0)
