"""What data sets of piano rolls share: pieces of any length, each step a column of keys."""

import functools
import itertools
import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader

from src.audio.roll import Grid, key_name
from src.datamodules.base import DataModule
from src.errors import UserError
from src.fingerprint import code_hash, value_hash
from src.paths import ROOT
from src.preparation.sources import sources
from src.rolls.batches import RollDataset, TrainingStretches, WholePieces, roll_loader
from src.rolls.groups import Part, divide
from src.rolls.options import at_least
from src.rolls.piece import PieceMaker, unpack
from src.rolls.store import FORMAT, Rolls, RollStore
from src.splits import SPLITS, checked_seed, checked_shares


class RollDataModule(DataModule):
    """Pieces as piano rolls: boolean columns of keys, one a step.

    The rolls of all pieces lie in `<cache_dir>/<name>_rolls-<hash>`; splits, crops and onsets are chosen when
    they are opened, so that those cost no new build. A subclass sets `name` and says what the pieces are made
    from. Within a split, pieces are ordered by length.

    Attributes:
        grid: what a step is, or `None` where that is unknown.
        n_items: pieces of `train`, `val` and `test`; empty before `setup`.
        classes: names of the columns: keys such as `C4` (MIDI 60), then `C4 onset` and so on with `onsets`.

    Args:
        cache_dir: prepared data lie in it.
        batch_size: windows or pieces a training batch.
        shuffle_seed: of the order of training items, >= 0.
        workers: processes that build the data, or `auto`.
        lowest_note: MIDI number of the first key.
        n_notes: number of keys.
        grid: what a step is, or `None`.
        seed: of the split, >= 0; `None` where the pieces have their own.
        split: shares of the pieces, `val` and `test`; `None` where the pieces have their own.
        n_steps: predicted steps of a training window, >= 1; `None` trains on whole pieces.
        crop: columns taken of each piece, >= 2; `None` takes all.
        onsets: whether the roll carries onsets beside the sounding keys.

    Raises:
        UserError: an option lies outside its range.
    """

    inputs = "rolls"
    target = "rolls"
    feature_options = ()
    grouped_by: ClassVar[str] = "group"

    def __init__(
        self,
        *,
        cache_dir: Path,
        batch_size: int,
        shuffle_seed: int,
        workers: int | str,
        lowest_note: int,
        n_notes: int,
        grid: Grid | None,
        seed: int | None,
        split: Mapping[str, float] | None,
        n_steps: int | None,
        crop: int | None,
        onsets: bool,
    ) -> None:
        super().__init__(
            cache_dir=cache_dir, batch_size=batch_size, shuffle_seed=shuffle_seed, workers=workers
        )
        self.grid, self.lowest_note, self.n_notes, self.onsets = grid, lowest_note, n_notes, bool(onsets)
        self.n_steps, self.crop = at_least("n_steps", n_steps, 1), at_least("crop", crop, 2)
        self.seed, self.shares = checked_seed(seed), None if split is None else checked_shares(split)
        names = [key_name(lowest_note + key) for key in range(n_notes)]
        self.classes = tuple(names + [f"{name} onset" for name in names if self.onsets])
        self.item_shape = (len(self.classes),)
        self.n_items = {}

    @abstractmethod
    def maker(self) -> PieceMaker:
        """Give what makes the piece of a source; its module's code and that of all it imports counts."""

    @abstractmethod
    def sources(self) -> Iterable[str]:
        """Give what the pieces are made from, one string each."""

    @abstractmethod
    def rolls_recipe(self) -> Mapping[str, Any]:
        """Give plain values that determine the rolls: options, hashes of files, versions of libraries."""

    def recipe(self) -> dict[str, Any]:
        """Give what determines the rolls, and what is taken of them."""
        return {
            "rolls": self.rolls_recipe(),
            "seed": self.seed,
            "split": self.shares,
            "crop": self.crop,
            "onsets": self.onsets,
        }

    def code_modules(self) -> Sequence[str]:
        """Give the modules that make the rolls, pack them and divide them."""
        return type(self.maker()).__module__, "src.rolls.groups"

    @functools.cached_property
    def store(self) -> RollStore:
        """The rolls on disk."""
        code = code_hash(set[Path]().union(*map(sources, self.code_modules())), ROOT)
        recipe = {"rolls": self.rolls_recipe(), "code": code, "format": FORMAT}
        folder = self.cache_dir / f"{self.name}_rolls-{value_hash(recipe)}"
        return RollStore(folder, {"data": self.name, "recipe": self.rolls_recipe()})

    def prepare_data(self) -> None:
        """Build what is missing.

        Raises:
            UserError: it cannot be built; the message says what to do.
        """
        self.store.prepare(self.maker(), self.sources, self.workers, self.name)

    def setup(self, stage: str | None = None) -> None:
        """Open the rolls, divide them, and refuse splits that share a group.

        A published split is kept as it is; what its parts share is said in one line.

        Raises:
            UserError: parts share pieces or are empty, or the data are not built.
        """
        if self.n_items:
            return
        self.n_items = {split: len(part.numbers) for split, part in self._parts.items()}
        if self.shares is None:
            self._say_shared()
            return
        for one, other in itertools.combinations(SPLITS, 2):
            if shared := set(self.groups(one)) & set(self.groups(other)):
                raise UserError(
                    f"{self.name}: {one} and {other} share {len(shared)} {self.grouped_by}(s); "
                    "choose another data.seed"
                )

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Give the columns of a split, bool (F, C), one piece after another, and lengths, int64 (n_pieces,).

        Raises:
            UserError: the data are not built.
        """
        part = self._parts[split]
        columns = np.concatenate([self._columns(part, piece) for piece in range(len(part.numbers))])
        return columns, part.lengths

    def training_truth(self) -> np.ndarray:
        """Return every column of the training split, bool (F, C)."""
        return self.arrays("train")[0]

    def piece(self, split: str, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Give sounding keys and onsets of a piece, each bool (T, n_notes).

        Args:
            split: `train`, `val` or `test`.
            number: of the piece in it.
        """
        part = self._parts[split]
        return self._unpacked(part, number, self._rolls.sounding), self._unpacked(
            part, number, self._rolls.onsets
        )

    def columns(self, split: str, number: int) -> np.ndarray:
        """Give the columns of a piece as the batches have them, bool (T, C).

        Args:
            split: `train`, `val` or `test`.
            number: of the piece in it.
        """
        return self._columns(self._parts[split], number)

    def names(self, split: str) -> list[str]:
        """Give the names of the pieces of a split, in the order of `arrays`."""
        return [str(self._rolls.pieces[number]["name"]) for number in self._parts[split].numbers]

    def groups(self, split: str) -> list[str]:
        """Give the groups of the pieces of a split; pieces that are nearly the same have one."""
        return [str(self._rolls.pieces[number]["group"]) for number in self._parts[split].numbers]

    def left_out(self) -> list[tuple[str, str]]:
        """Give name and reason of each piece that could not be made."""
        return self._rolls.left_out

    def shared(self) -> dict[str, int]:
        """Count the pieces of `val` and `test` that are, or nearly are, in `train` too."""
        train = set(self.groups("train"))
        return {split: sum(group in train for group in self.groups(split)) for split in ("val", "test")}

    def summary(self) -> dict[str, Any]:
        """Give name, signature, pieces, frames, density and groups by split, and what is left out.

        Density is the share of keys that sound. A published split also has `shared_with_train`.
        """
        counts: dict[str, Any] = {"frames": {}, "density": {}, "groups": {}}
        for split, part in self._parts.items():
            counts["frames"][split] = int(part.lengths.sum())
            counts["density"][split] = self._sounding(part) / (counts["frames"][split] * self.n_notes)
            counts["groups"][split] = len(set(self.groups(split)))
        own = {"shared_with_train": self.shared()} if self.shares is None else {}
        return {**super().summary(), **counts, **own, "left_out": self.left_out()}

    def contact_sheet(self, folder: Path) -> None:
        """Write a few pieces of each split to be heard and looked at, and a list of all.

        Args:
            folder: gets `.mid`, `.png` and `.wav` files, `pieces.csv` and `left_out.csv`.
        """
        from src.datamodules.roll_sheet import write_roll_sheet  # draws and plays: slow to import

        write_roll_sheet(folder, self)

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Give training batches, in an order that depends on shuffle_seed and epoch only."""
        part = self._parts["train"]
        rank, world = self._place()
        stretches = TrainingStretches(
            part.starts,
            part.lengths,
            n_steps=self.n_steps,
            batch_size=self.batch_size,
            seed=self.shuffle_seed,
            rank=rank,
            world_size=world,
        )
        return roll_loader(self._dataset, stretches)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Give all validation pieces in order, whole, to every process."""
        return self._whole("val")

    def test_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Give all test pieces in order, whole, to every process."""
        return self._whole("test")

    def _whole(self, split: str) -> DataLoader[tuple[Tensor, Tensor]]:
        part = self._parts[split]
        return roll_loader(self._dataset, WholePieces(part.starts, part.lengths))

    def _say_shared(self) -> None:
        shared = self.shared()
        if any(shared.values()):
            counts = ", ".join(f"{count} of {split}" for split, count in shared.items())
            print(f"{self.name}: the published split has pieces in train, too: {counts}", file=sys.stderr)

    def _sounding(self, part: Part) -> int:
        """Count the keys that sound in all columns of a part."""
        spans = zip(part.starts, part.lengths, strict=True)
        rolls = (self._rolls.sounding[start : start + length] for start, length in spans)
        return sum(int(np.bitwise_count(roll).sum()) for roll in rolls)

    def _columns(self, part: Part, number: int) -> np.ndarray:
        return np.concatenate([self._unpacked(part, number, array) for array in self._packed], axis=1)

    def _unpacked(self, part: Part, number: int, packed: np.ndarray) -> np.ndarray:
        start, length = part.starts[number], part.lengths[number]
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
    def _parts(self) -> dict[str, Part]:
        """The pieces of each split, sorted by length, then name."""
        rolls = self._rolls
        splits = np.array([piece["split"] for piece in rolls.pieces])
        if self.shares is not None:
            splits = divide([piece["group"] for piece in rolls.pieces], self.shares, self.seed or 0)
        lengths = rolls.lengths if self.crop is None else np.minimum(rolls.lengths, self.crop)
        order = sorted(
            range(len(lengths)), key=lambda number: (lengths[number], rolls.pieces[number]["name"])
        )
        numbers = {split: np.array([n for n in order if splits[n] == split], np.int64) for split in SPLITS}
        if not all(map(len, numbers.values())):
            raise UserError(
                f"{self.name}: a part of the split has no piece; see {self.store.folder}/pieces.json"
            )
        return {
            split: Part(chosen, rolls.starts[chosen], lengths[chosen]) for split, chosen in numbers.items()
        }
