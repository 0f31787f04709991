"""What published sets of feature files have in common: folders, tables of labels, and how the two are matched."""

import functools
from abc import abstractmethod
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from src.datamodules.options import Folder
from src.datamodules.sequences.base import SequenceDataModule, SequenceOptions
from src.datamodules.sequences.feature_files import FeatureFiles, feature_files
from src.datamodules.sequences.label_files import Label, LabelledFile, labelled_files
from src.errors import UserError
from src.fingerprint import Memory, files_hash
from src.messages import say
from src.paths import is_inside
from src.preparation.card import Card
from src.splitting.recording import Recording

PUBLISHED_SPLITS = ("train", "test")


class FeatureFileOptions(SequenceOptions):
    """Options of every published set of feature files.

    Args:
        root: the folder that contains the folders of the set.
    """

    root: Folder


class FeatureFileDataModule(SequenceDataModule):
    """Feature files in `<folder>/train` and `test`, labelled by `train_labels.txt` and `test_labels.txt` in `<folder>`.

    A validation split is always drawn from `train`. If `test` has no labels, it is ignored, and a test split is drawn
    from `train`, too. Each clip is a group of its own.

    Attributes:
        folder_name: of the data set; features of beats are in `<folder_name>_beat`.
        labels: those of the tables, by published split.

    Args:
        root: the folder that contains those folders.
        options: see `SequenceOptions`; `split` has the shares of `train` that are drawn for `val` and perhaps `test`.

    Raises:
        UserError: an option lies outside its range, or a table cannot be used.
    """

    folder_name: ClassVar[str]
    card: ClassVar[Card]
    root: Path | None

    Options = FeatureFileOptions
    options: FeatureFileOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        root = self.options.root
        self.root = None if root is None else Path(root).expanduser().resolve()
        self.place = self.folder_name + ("_beat" if self.beat_sync else "")
        self.labels = self._labels()
        self.classes = tuple(self.names())
        if self.shares is not None:
            self.shares = {split: share for split, share in self.shares.items() if split not in self.labels}

    @abstractmethod
    def read_labels(self, table: Path) -> list[Label]:
        """Read a table of labels; return an empty list if the table has names only.

        Raises:
            UserError: the table cannot be used.
        """

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Return the names of the classes, or of the numbers to predict."""

    @abstractmethod
    def item(self, clip: LabelledFile, split: str | None) -> Recording | None:
        """Return a clip as an item, with its problem if it has one; `None` if the clip is dropped."""

    def check(self) -> None:
        """Check that the folder exists and has training labels, and that these allow the split.

        Raises:
            UserError: a check fails; the message says where to get the data.
        """
        self.check_folder()
        self.check_items()

    def check_folder(self) -> None:
        """Check that the folder exists and has training labels.

        Raises:
            UserError: a check fails; the message says where to get the data.
        """
        if self.root is None or not self.root.is_dir():
            raise self.card.missing(self.root)
        if not (self.root / self.place).is_dir():
            raise UserError(
                f"{self.root} has no folder {self.place}; name the folder that contains it, data.root=FOLDER, or get "
                f"it from {self.card.url}"
            )
        if "train" not in self.labels:
            raise UserError(
                f"{self.root / self.place} has no train_labels.txt with labels; get it from {self.card.url}"
            )

    def resolved(self) -> dict[str, Any]:
        """Return the number of frames that are kept, and the folder as a full path."""
        return {**super().resolved(), "root": None if self.root is None else str(self.root)}

    def items(self) -> list[Recording]:
        """Return the clips, those of `train` first.

        A label without a file, a file without a label, and a clip of `test` that is also in `train` have a problem.

        Raises:
            UserError: see `check_folder`.
        """
        self.check_folder()
        items = [item for split, clip in self.clips if (item := self.item(clip, split)) is not None]
        trained = {item.group for item in items if item.split is None}
        return [_outside(item, trained) for item in items]

    def maker(self) -> FeatureFiles:
        """Return the reader of the files."""
        assert self.root is not None
        return FeatureFiles(self.root, tuple(item.path for item in self.listed), self.max_frames)

    def store_recipe(self) -> dict[str, Any]:
        """Return a hash of the content of the files."""
        assert self.root is not None
        existing = [item.path for item in self.listed if is_inside(self.root, item.path)]
        return {"files": files_hash(self.root, existing, self.cache_dir / Memory.LISTS)}

    def prepare_data(self) -> None:
        """Read all files, and print which cannot be used and whether the test split is drawn from `train`.

        Raises:
            UserError: see `SequenceDataModule`.
        """
        fresh = not self.store.cache.is_complete()
        super().prepare_data()
        if fresh and "test" not in self.labels:
            say(f"{self.name}: {self.place}/test has no labels; val and test are drawn from train")

    @functools.cached_property
    def clips(self) -> list[tuple[str | None, LabelledFile]]:
        """All clips of the published splits that have labels; with their split, `None` where it is drawn."""
        assert self.root is not None
        found: list[tuple[str | None, LabelledFile]] = []
        for published, labels in self.labels.items():
            folder = f"{self.place}/{published}"
            files = feature_files(self.root / folder)
            split = None if published == "train" else published
            clips = labelled_files(labels, files, folder=folder, table=f"{published}_labels.txt")
            found += [(split, clip) for clip in clips]
        return found

    def _labels(self) -> dict[str, list[Label]]:
        if self.root is None:
            return {}
        tables = {split: self.root / self.place / f"{split}_labels.txt" for split in PUBLISHED_SPLITS}
        found = {split: self.read_labels(table) for split, table in tables.items() if table.is_file()}
        return {split: labels for split, labels in found.items() if labels}


def _outside(item: Recording, trained: Set[str]) -> Recording:
    leaked = item.split is not None and item.group in trained
    return replace(item, problem=item.problem or "is of a clip that is also in train") if leaked else item
