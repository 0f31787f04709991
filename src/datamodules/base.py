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
from src.preparation.card import Card
from src.preparation.code import code_signature
from src.preparation.fetch import fetch
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
        shares: of the parts that are drawn; `None` or empty where the parts are fixed.
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
        self.options = self.Options.read(options)
        self.cache_dir, self.shuffle_seed = Path(cache_dir), shuffle_seed
        self.batch_size = whole(1)("batch_size", batch_size)
        self.workers = self.options.workers

    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """Give plain values that determine the data: options, hashes of files, versions of libraries."""

    @abstractmethod
    def code_modules(self) -> Sequence[ModuleType]:
        """Give the modules that make the data; their code and that of all they import count too."""

    @abstractmethod
    def check(self) -> None:
        """Refuse in less than half a second what can be refused before work.

        Raises:
            UserError: something is missing; the message says how to get it.
        """

    @abstractmethod
    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Give what the baselines are measured on: features and targets, or columns and lengths of rolls.

        Raises:
            UserError: the data are not built.
        """

    @abstractmethod
    def contact_sheet(self, folder: Path) -> None:
        """Write a few items to be looked at and listened to into `folder`."""

    @functools.cached_property
    def signature(self) -> str:
        """Hash of all that determines the data: the recipe and the code."""
        return value_hash({"recipe": self.recipe(), "code": code_signature(*self.code_modules())})

    @property
    def training_variant(self) -> str:
        """What tells apart measurements on training items that are made of the same prepared data in several ways."""
        return ""

    @property
    def folder(self) -> Path:
        """Where the prepared data lie."""
        return self.cache_dir / f"{self.name}-{self.signature}"

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """The options that divide the items, unless the parts are fixed; with others training items would be tested."""
        return ("seed", "split") if self.shares else ()

    def fetch(self) -> None:
        """Download what is not here and may be downloaded.

        Raises:
            UserError: it could not be.
        """
        if self.card is not None and self.root is not None:
            fetch(self.card, Path(self.root).expanduser())

    @property
    def epoch_items(self) -> int | None:
        """Number of training items an epoch; `None` while it is unknown."""
        return self.n_items.get("train")

    def resolved(self) -> dict[str, Any]:
        """Give the options whose names stand for something else, resolved: what a trial's identity counts."""
        return {}

    def statistics(self) -> tuple[np.ndarray, ...]:
        """Return what the task counts on training items: of spectrograms and sequences mean and deviation of each row.

        Each is float32 (n_rows,).
        """
        return ()

    def training_truth(self) -> np.ndarray:
        """Return the targets of the training split as a loss is given them, (N, C) or (N,)."""
        return self.arrays("train")[1]

    def write_errors(self, folder: Path, outputs: Tensor, targets: Tensor, threshold: float) -> list[Path]:
        """Write test items in which a class is missed, where they can be played.

        Args:
            folder: where to; it is made where there is something to write.
            outputs: (N, C), probabilities.
            targets: of the N test items.
            threshold: what is above it is answered.

        Returns:
            What the names of the files begin with.
        """
        return []

    @classmethod
    def repeats_short_sounds(cls, options: Mapping[str, Any]) -> bool:
        """Whether items sound from beginning to end, so that a shorter sound is to be repeated, not padded.

        Args:
            options: of the data set.
        """
        return False

    @classmethod
    def kept_in_test(cls, trained: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
        """Return options that a test takes from the training and from what is typed.

        Args:
            trained: the options that a checkpoint was trained with.
            tested: those of its test.
        """
        return {}

    def check_test(self, trained: Mapping[str, Any]) -> None:
        """Refuse these data as a test of a model that was trained with other options.

        Args:
            trained: those.

        Raises:
            UserError: test items share material with training items.
        """

    def summary(self) -> dict[str, Any]:
        """Give what `metrics.json` says of the data."""
        return {"name": self.name, "signature": self.signature, "items": self.n_items}

    def _place(self) -> tuple[int, int]:
        """Give this process's number and the number of processes that train together."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
