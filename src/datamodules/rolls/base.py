"""What data sets of piano rolls have in common: pieces of any length, each time step a column of keys."""

import functools
import itertools
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader

from src.audio.roll import key_name
from src.datamodules.base import DataModule
from src.datamodules.item_groups import named_groups
from src.datamodules.rolls.batches import RollDataset, TrainingStretches, WholePieces, roll_loader
from src.datamodules.rolls.options import RollOptions
from src.datamodules.rolls.piece import PieceMaker, unpack
from src.datamodules.rolls.store import FORMAT, Rolls, RollSplit, RollStore
from src.errors import UserError
from src.fingerprint import value_hash
from src.messages import say
from src.preparation.code import code_signature, module_of
from src.splitting import near_duplicates, shuffled
from src.splitting.shuffled import group_shuffle_split
from src.splitting.splits import SPLITS


class RollDataModule(DataModule):
    """Pieces as piano rolls: a boolean column of keys for each time step.

    The rolls of all pieces are stored in `<cache_dir>/<name>_rolls-<hash>`; splits, crops and onsets are chosen when
    they are opened, so that changing them needs no new build. A subclass sets `name` and says what the pieces are made
    from. Within a split, pieces are ordered by length.

    Attributes:
        grid: length of a step and range of keys, or `None` where a step has no known length.
        n_items: number of pieces of `train`, `val` and `test`; empty before `setup`.
        classes: names of the keys, such as `C4` (MIDI 60); with `onsets`, then `C4 onset` and so on.

    Args:
        cache_dir: prepared data lie in it.
        batch_size: windows or pieces a training batch.
        shuffle_seed: of the order of training items, >= 0.
        options: see `RollOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    inputs = "rolls"
    target = "rolls"
    feature_options = ()
    grouped_by: ClassVar[str] = "group"

    Options = RollOptions
    options: RollOptions

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.grid, self.lowest_note, self.n_notes = options.steps(), options.lowest_note, options.n_notes
        self.n_steps, self.crop, self.onsets = options.n_steps, options.crop, options.onsets
        self.seed, self.shares = options.seed, options.split
        names = [key_name(self.lowest_note + key) for key in range(self.n_notes)]
        self.classes = tuple(names + [f"{name} onset" for name in names if self.onsets])
        self.item_shape = (len(self.classes),)
        self.n_items = {}

    @abstractmethod
    def maker(self) -> PieceMaker:
        """Return the callable that makes a piece from its id; the code of its module is in the signature."""

    @abstractmethod
    def piece_ids(self) -> Iterable[str]:
        """Return the ids of all pieces, such as paths, in the form that the maker expects."""

    @abstractmethod
    def rolls_recipe(self) -> Mapping[str, Any]:
        """Return plain values that determine the rolls: options, hashes of files, versions of libraries."""

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the rolls, their splits and what is used of them."""
        return {
            "rolls": self.rolls_recipe(),
            "seed": self.seed,
            "split": self.shares,
            "crop": self.crop,
            "onsets": self.onsets,
        }

    def code_modules(self) -> Sequence[ModuleType]:
        """Return the modules that make, pack and split the rolls."""
        return module_of(self.maker()), near_duplicates, shuffled

    @functools.cached_property
    def store(self) -> RollStore:
        """The rolls on disk."""
        code = code_signature(*self.code_modules())
        recipe = {"rolls": self.rolls_recipe(), "code": code, "format": FORMAT}
        folder = self.cache_dir / f"{self.name}_rolls-{value_hash(recipe)}"
        return RollStore(folder, {"data": self.name, "recipe": self.rolls_recipe()})

    def prepare_data(self) -> None:
        """Build the rolls that are missing.

        Raises:
            UserError: it cannot be built; the message says what to do.
        """
        self.store.prepare(self.maker(), self.piece_ids, self.workers, self.name)

    def setup(self, stage: str | None = None) -> None:
        """Open the rolls, split them, and check that no two splits share a group.

        Published splits are kept as they are; one line on stderr counts what they share.

        Raises:
            UserError: splits share a group or are empty, or the data are not built.
        """
        if self.n_items:
            return
        self.n_items = {split: len(of_split.numbers) for split, of_split in self._splits.items()}
        if self.shares is None:
            self._say_shared()
            return
        for first, second in itertools.combinations(SPLITS, 2):
            shared = np.intersect1d(self.groups(first), self.groups(second))
            if len(shared):
                raise UserError(
                    f"{self.name}: {first} and {second} share {len(shared)} {self.grouped_by}(s); "
                    "choose another data.seed"
                )

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of a split, bool (F, C), one piece after another, and lengths, int64 (n_pieces,).

        Raises:
            UserError: the data are not built.
        """
        of_split = self._splits[split]
        columns = np.concatenate([self._columns(of_split, piece) for piece in range(len(of_split.numbers))])
        return columns, of_split.lengths

    def training_truth(self) -> np.ndarray:
        """Return every column of the training split, bool (F, C)."""
        return self.arrays("train")[0]

    def piece(self, split: str, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return sounding keys and onsets of a piece, each bool (T, n_notes).

        Args:
            split: `train`, `val` or `test`.
            number: of the piece in it.
        """
        of_split = self._splits[split]
        return self._unpacked(of_split, number, self._rolls.sounding), self._unpacked(
            of_split, number, self._rolls.onsets
        )

    def columns(self, split: str, number: int) -> np.ndarray:
        """Return the columns of a piece as they are in batches, bool (T, C).

        Args:
            split: `train`, `val` or `test`.
            number: of the piece in it.
        """
        return self._columns(self._splits[split], number)

    def names(self, split: str) -> list[str]:
        """Return the names of the pieces of a split, in the order of `arrays`."""
        return [str(self._rolls.pieces[number]["name"]) for number in self._splits[split].numbers]

    def groups(self, split: str) -> np.ndarray:
        """Return the group of each piece of a split, int64 (n_pieces,); nearly identical pieces have the same group."""
        return named_groups(self.group_names(split))

    def group_names(self, split: str) -> list[str]:
        """Return the names of the groups of the pieces of a split, for people."""
        return [str(self._rolls.pieces[number]["group"]) for number in self._splits[split].numbers]

    def left_out(self) -> list[tuple[str, str]]:
        """Return name and reason of each piece that could not be made."""
        return self._rolls.left_out

    def shared(self) -> dict[str, int]:
        """Return the number of pieces of `val` and of `test` that are also in `train`, exactly or nearly."""
        train = self.groups("train")
        return {split: int(np.isin(self.groups(split), train).sum()) for split in ("val", "test")}

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`.

        Name, signature; pieces, frames, density (the share of keys that sound, 0..1) and groups by split; the pieces
        that are left out; and for a published split `shared_with_train`.
        """
        counts: dict[str, Any] = {"frames": {}, "density": {}, "groups": {}}
        for split, of_split in self._splits.items():
            counts["frames"][split] = int(of_split.lengths.sum())
            counts["density"][split] = self._sounding(of_split) / (counts["frames"][split] * self.n_notes)
            counts["groups"][split] = len(np.unique(self.groups(split)))
        published = {"shared_with_train": self.shared()} if self.shares is None else {}
        return {**super().summary(), **counts, **published, "left_out": self.left_out()}

    def contact_sheet(self, folder: Path) -> None:
        """Write a few pieces of each split to listen to and look at, and a table of all.

        Args:
            folder: gets `.mid`, `.png` and `.wav` files, `pieces.csv` and `left_out.csv`.
        """
        from src.datamodules.rolls.sheet import write_roll_sheet  # draws and plays: slow to import

        write_roll_sheet(folder, self)

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Return a loader of training batches whose order depends only on `shuffle_seed` and the epoch."""
        of_split = self._splits["train"]
        rank, world = self._place()
        stretches = TrainingStretches(
            of_split.starts,
            of_split.lengths,
            n_steps=self.n_steps,
            batch_size=self.batch_size,
            seed=self.shuffle_seed,
            rank=rank,
            world_size=world,
        )
        return roll_loader(self._dataset, stretches)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Return a loader of all validation pieces in order, whole; every process gets all of them."""
        return self._whole("val")

    def test_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Return a loader of all test pieces in order, whole; every process gets all of them."""
        return self._whole("test")

    def _whole(self, split: str) -> DataLoader[tuple[Tensor, Tensor]]:
        of_split = self._splits[split]
        return roll_loader(self._dataset, WholePieces(of_split.starts, of_split.lengths))

    def _say_shared(self) -> None:
        shared = self.shared()
        if any(shared.values()):
            counts = ", ".join(f"{count} of {split}" for split, count in shared.items())
            say(f"{self.name}: the published split has pieces in train, too: {counts}")

    def _sounding(self, of_split: RollSplit) -> int:
        """Return the number of sounding keys in all columns of a split."""
        spans = zip(of_split.starts, of_split.lengths, strict=True)
        rolls = (self._rolls.sounding[start : start + length] for start, length in spans)
        return sum(int(np.bitwise_count(roll).sum()) for roll in rolls)

    def _columns(self, of_split: RollSplit, number: int) -> np.ndarray:
        return np.concatenate([self._unpacked(of_split, number, array) for array in self._packed], axis=1)

    def _unpacked(self, of_split: RollSplit, number: int, packed: np.ndarray) -> np.ndarray:
        start, length = of_split.starts[number], of_split.lengths[number]
        return unpack(packed[start : start + length], self.n_notes).astype(bool)

    @property
    def _packed(self) -> tuple[np.ndarray, ...]:
        return (self._rolls.sounding, self._rolls.onsets) if self.onsets else (self._rolls.sounding,)

    @functools.cached_property
    def _dataset(self) -> RollDataset:
        return RollDataset(self._packed, self.n_notes)

    @functools.cached_property
    def _rolls(self) -> Rolls:
        return self.store.open()

    @functools.cached_property
    def _splits(self) -> dict[str, RollSplit]:
        """The pieces of each split, sorted by length, then name."""
        rolls = self._rolls
        splits = np.array([piece["split"] for piece in rolls.pieces])
        if self.shares is not None:
            splits = group_shuffle_split(
                [piece["group"] for piece in rolls.pieces], self.shares, self.seed or 0
            )
        lengths = rolls.lengths if self.crop is None else np.minimum(rolls.lengths, self.crop)
        order = sorted(
            range(len(lengths)), key=lambda number: (lengths[number], rolls.pieces[number]["name"])
        )
        numbers = {
            split: np.array([number for number in order if splits[number] == split], np.int64)
            for split in SPLITS
        }
        if not all(map(len, numbers.values())):
            raise UserError(
                f"{self.name}: one of the splits has no piece; see {self.store.folder}/pieces.json"
            )
        return {
            split: RollSplit(chosen, rolls.starts[chosen], lengths[chosen])
            for split, chosen in numbers.items()
        }
