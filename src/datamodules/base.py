"""What a trial asks of every data set."""

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from lightning import LightningDataModule
from torch import Tensor

from src.datamodules.options import DataOptions
from src.fingerprint import value_hash
from src.preparation.card import Card, fetch
from src.preparation.code import code_signature
from src.rules import whole


class DataModule(LightningDataModule):
    """A data set that is prepared once, into a folder named by all that determines it.

    Attributes:
        name: of the data set, and of its folder.
        inputs: what items are, the name of their task in `src/tasks`: `spectrograms` of one length, `sequences` of
            several, or `rolls`.
        target: a key of `src.metrics.kinds.KINDS`: `multilabel`, `multiclass`, `regression` or `rolls`.
        grouped_by: what no two splits may share.
        classes: names of the classes, of the numbers to predict, or of the columns of a roll.
        item_shape: of one item: (channels, n_mels, frames), of sequences (1, rows, the most frames), or (columns,)
            of a roll of any length.
        n_items: number of items of `train`, `val` and `test`; empty while it is unknown.
        card: where a published data set can be had; `None` for others.
        level: the root mean square that all clips are brought to before features are made; `None`: their own.
        feature_options: the options that say what a network is given; a checkpoint's data keep them.
        training_options: the options that say how training items are made; a test keeps those of the checkpoint.
        test_choices: groups below conf/data/<name>/ of which a test may choose.
        shares: share of the items of each split that is drawn; `None` or empty where the splits are fixed.
        root: its folder, or that of one's own files, if there is one.
        pool: how the outputs for the windows of a recording become one, `mean` or `max`.
        Options: the class of the data set's own options.
        options: those, checked.

    Args:
        cache_dir: prepared data lie in `<cache_dir>/<name>-<signature>`.
        batch_size: items a batch.
        shuffle_seed: of the order of training items, >= 0.
        options: those of the class `Options`, by name.

    Raises:
        UserError: an option is unknown, missing or refused.
        TypeError: the data set does not say what the groups of its items are.
    """

    name: str
    inputs: ClassVar[str] = "spectrograms"
    target: str
    grouped_by: ClassVar[str]
    classes: tuple[str, ...]
    item_shape: tuple[int, ...]
    n_items: dict[str, int]
    pool: str = "mean"
    card: ClassVar[Card | None] = None
    level: ClassVar[float | None] = None
    feature_options: ClassVar[tuple[str, ...]] = ("features",)
    training_options: ClassVar[tuple[str, ...]] = ()
    test_choices: ClassVar[tuple[str, ...]] = ()
    shares: Mapping[str, float] | None = None
    root: str | Path | None = None
    options: DataOptions
    Options: ClassVar[type[DataOptions]] = DataOptions

    def __init__(self, *, cache_dir: Path, batch_size: int, shuffle_seed: int, **options: Any) -> None:
        super().__init__()
        # Lightning's metaclass does not enforce abstract methods, and without groups there would be no intervals.
        if type(self).groups is DataModule.groups:
            raise TypeError(
                f"{type(self).__name__} needs a method groups(split); see src/datamodules/base.py"
            )
        self.options = self.Options.read(options)
        self.cache_dir, self.shuffle_seed = Path(cache_dir), shuffle_seed
        self.batch_size = whole(1)("batch_size", batch_size)
        self.workers = self.options.workers

    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """Return plain values that determine the data: options, hashes of files, versions of libraries."""

    @abstractmethod
    def code_modules(self) -> Sequence[ModuleType]:
        """Return the modules that make the data; the signature includes their code and that of all they import."""

    @abstractmethod
    def check(self) -> None:
        """Check in less than half a second what can be checked before any work starts.

        Raises:
            UserError: something is missing; the message says how to get it.
        """

    @abstractmethod
    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the data that baselines are measured on: features and targets, or columns and lengths of rolls.

        Raises:
            UserError: the data are not built.
        """

    @abstractmethod
    def groups(self, split: str) -> np.ndarray:
        """Return the group of each item: what the data set splits by, and what intervals resample as a whole.

        Args:
            split: `val` or `test`.

        Returns:
            int64 (N,), >= 0, for the N items in the order in which loaders give them and metrics see them: one entry
            for each recording, whatever its number of windows, and for each piece of rolls. Or (N, M), padded with −1,
            where an item is made of up to M things of different groups. A number is the same group in all splits.

        Raises:
            UserError: the data are not built.
        """

    @abstractmethod
    def contact_sheet(self, folder: Path) -> None:
        """Write a few items into `folder`, for people to look at and listen to."""

    @functools.cached_property
    def signature(self) -> str:
        """Hash of all that determines the data: the recipe and the code."""
        return value_hash({"recipe": self.recipe(), "code": code_signature(*self.code_modules())})

    @functools.cached_property
    def evaluation_signature(self) -> str:
        """Hash of all that determines which items validation and test have, whatever is trained on.

        Figures of two trials are of the same items only where it is equal.
        """
        return value_hash({"name": self.name, "recipe": self.evaluation_recipe()})

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the part of the recipe that determines validation and test items as such.

        Without what a network is given of them (`feature_options`) and what concerns training items only. What is in
        doubt stays in it.
        """
        left_out = {*self.feature_options, *self.training_options}
        return {key: value for key, value in self.recipe().items() if key not in left_out}

    @property
    def statistics_suffix(self) -> str:
        """Suffix for cached statistics when training items can be derived from the data in more than one way."""
        return ""

    @property
    def folder(self) -> Path:
        """Where the prepared data lie."""
        return self.cache_dir / f"{self.name}-{self.signature}"

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """The options that assign items to splits; empty where the splits are fixed.

        A test with other values of these would measure on items that the model was trained on.
        """
        return ("seed", "split") if self.shares else ()

    def fetch(self) -> None:
        """Download missing data, where its licence and its publisher allow that.

        Raises:
            UserError: the download failed.
        """
        if self.card is not None and self.root is not None:
            fetch(self.card, Path(self.root).expanduser())

    @property
    def epoch_items(self) -> int | None:
        """Number of training items an epoch; `None` while it is unknown."""
        return self.n_items.get("train")

    def resolved(self) -> dict[str, Any]:
        """Return options that stand for something else, such as relative paths, in the form that identifies a trial."""
        return {}

    def statistics(self) -> tuple[np.ndarray, ...]:
        """Return what the task measures on training items.

        For spectrograms and sequences: mean and standard deviation of each row, float32 (n_rows,) each.
        """
        return ()

    def training_truth(self) -> np.ndarray:
        """Return the targets of the training split as a loss is given them, (N, C) or (N,)."""
        return self.arrays("train")[1]

    def write_errors(self, folder: Path, outputs: Tensor, targets: Tensor, threshold: float) -> list[Path]:
        """Write test items in which the model misses a class, if the data set can play them.

        Args:
            folder: created if there is something to write.
            outputs: (N, C), probabilities.
            targets: of the N test items.
            threshold: a class with a higher probability is predicted.

        Returns:
            The paths of the written files, without suffixes.
        """
        return []

    @classmethod
    def repeats_short_sounds(cls, options: Mapping[str, Any]) -> bool:
        """Whether a sound shorter than an item should be repeated instead of padded with silence.

        Args:
            options: of the data set.
        """
        return False

    @classmethod
    def kept_in_test(cls, trained: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a test that depend on those of the training.

        Args:
            trained: the options that the checkpoint was trained with.
            tested: the options that were typed for its test.
        """
        return {}

    def check_test(self, trained: Mapping[str, Any]) -> None:
        """Check that these data may test a model that was trained with other options.

        Args:
            trained: the options that the model was trained with.

        Raises:
            UserError: test items share material with training items.
        """

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`."""
        return {
            "name": self.name,
            "signature": self.signature,
            "evaluation": self.evaluation_signature,
            "items": self.n_items,
        }

    def _place(self) -> tuple[int, int]:
        """Return the rank of this process and the number of processes that train together."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
