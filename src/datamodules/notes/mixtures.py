"""Mixtures of single notes, to recognise their instruments.

After the published experiment on N = 2, 3, 5, 10 notes of TinySOL. Its training and test mixtures were made of the same
recordings; here no two splits share one.
"""

import functools
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
from torch.utils.data import Sampler

from src.datamodules.batches import ShuffledBatches
from src.datamodules.notes.base import NoteDataModule, NoteOptions
from src.datamodules.notes.mixer import DETUNE, GAIN_DB, LEVELS, N_SOURCES, Mixer, MixtureOptions
from src.datamodules.sound_batches import FreshBatches
from src.errors import UserError
from src.messages import say
from src.metrics.baseline_data import fresh_items
from src.rules import by_name, flag, null, one_of, whole
from src.splitting.splits import SPLITS


class Mixtures(NoteDataModule):
    """Sums of a few notes, made on access; mixture i of a split is always the same.

    Args:
        n_mixtures: number of mixtures of `train` (in an epoch), `val` and `test`.
        n_sources: number of notes in a mixture, or several numbers to draw from.
        train_n_sources: the same for training mixtures, if they differ.
        distinct: whether no instrument occurs twice in a mixture.
        level: `recorded` or `equal`; see `MixtureOptions`.
        gain_db: lowest and highest gain of a note, dB.
        detune: of training notes; see `MixtureOptions`.
        fresh: whether every epoch has mixtures that no earlier epoch had; else all epochs have the same.
        leak: whether to reproduce the published mistake: validation and test mixtures are made of training recordings.
        options: see `NoteOptions`.

    Raises:
        UserError: an option lies outside its range.
    """

    name = "mixtures"
    target = "multilabel"
    grouped_by = "recording"

    class Options(NoteOptions):
        """See `Mixtures`."""

        n_mixtures: Annotated[Mapping[str, int], by_name(whole(1), SPLITS)]
        n_sources: Annotated[tuple[int, ...], N_SOURCES]
        train_n_sources: Annotated[tuple[int, ...] | None, N_SOURCES | null("for n_sources")]
        distinct: Annotated[bool, flag]
        level: Annotated[str, one_of(*LEVELS)]
        gain_db: Annotated[tuple[float, float], GAIN_DB]
        detune: Annotated[float, DETUNE]
        fresh: Annotated[bool, flag]
        leak: Annotated[bool, flag]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.n_items = dict(options.n_mixtures)
        self.mixing = MixtureOptions(
            n_sources=options.n_sources,
            distinct=options.distinct,
            samples=self.samples,
            level=options.level,
            gain_db=options.gain_db,
            detune=0.0,
        )
        self.training = replace(
            self.mixing, n_sources=options.train_n_sources or options.n_sources, detune=options.detune
        )
        self.fresh, self.leak = options.fresh, options.leak

    def check(self) -> None:
        """Check what `NoteDataModule.check` checks, and that there are as many instruments as a mixture needs.

        Raises:
            UserError: one of those.
        """
        super().check()
        max_sources = max(*self.mixing.n_sources, *self.training.n_sources)
        if self.mixing.distinct and max_sources > len(self.classes):
            raise UserError(
                f"data.n_sources={max_sources}, but there are {len(self.classes)} instruments; "
                "choose fewer, or data.distinct=false"
            )

    def recipe(self) -> dict[str, Any]:
        """Return everything that determines the mixtures."""
        own = {
            "n_mixtures": self.n_items,
            "mixing": asdict(self.mixing),
            "training": asdict(self.training),
            "fresh": self.fresh,
            "leak": self.leak,
        }
        return super().recipe() | own

    def evaluation_recipe(self) -> dict[str, Any]:
        """Return the recipe without what concerns training mixtures only."""
        kept = super().evaluation_recipe()
        mixing = {key: value for key, value in kept["mixing"].items() if key != "samples"}  # see clip_seconds
        own = {"n_mixtures": {split: self.n_items[split] for split in SPLITS[1:]}, "mixing": mixing}
        return {key: value for key, value in kept.items() if key not in ("training", "fresh")} | own

    def prepare_data(self) -> None:
        """Build the sounds; with `leak`, print a warning.

        Raises:
            UserError: too many notes cannot be used, or a split has none of some instrument.
        """
        if self.leak:
            say(
                "data.leak=true: training and test share recordings, as published, so the figures are too good"
            )
        super().prepare_data()

    def maker(self, split: str) -> Mixer:
        """Return the maker of the mixtures of a split; only training notes are detuned."""
        options = self.training if split == "train" else self.mixing
        return Mixer(self.store, self.pools[split], options, self.seed, SPLITS.index(split))

    def numbers(self, split: str) -> np.ndarray:
        """Return the numbers of the notes of each mixture of a split, int64 (N, M), padded with −1."""
        return self.maker(split).numbers(np.arange(self.n_items[split]))

    def train_batches(self) -> Sampler[np.ndarray]:
        """Return the numbers of the training mixtures, a batch at a time; with `fresh`, each epoch has new ones."""
        kind = FreshBatches if self.fresh else ShuffledBatches
        return kind(self.n_items["train"], self.batch_size, self.shuffle_seed, *self._place())

    @property
    def most_train_items(self) -> int:
        """Number of training mixtures that baselines may be fitted to: with `fresh`, those of further epochs, too."""
        return fresh_items(self.n_items["train"]) if self.fresh else super().most_train_items

    def summary(self) -> dict[str, Any]:
        """Return the entry of the data in `metrics.json`, with the notes of each split and whether they leak."""
        pools = {split: sum(map(len, self.pools[split])) for split in SPLITS}
        return {**super().summary(), "notes": pools, "leak": self.leak}

    @functools.cached_property
    def pools(self) -> dict[str, list[np.ndarray]]:
        """The numbers of the notes of each split, by class.

        With `leak`, training keeps its notes, and validation and test have as many notes of each class as without (or
        all of training, if it has fewer), drawn from those of training. So the network sees the same items with and
        without, and all that changes is whether it was trained on the recordings that it is tested on: with all notes
        in every split it would also have more to learn from. Folds are drawn at random, so that notes of training are
        neither easier nor harder than those that they replace.
        """
        pools = super().pools
        return {split: self._leaking(split, pools) for split in SPLITS} if self.leak else pools

    def _leaking(self, split: str, pools: Mapping[str, list[np.ndarray]]) -> list[np.ndarray]:
        if split == "train":
            return pools[split]
        draws = np.random.default_rng([self.seed, SPLITS.index(split)])
        return [
            np.sort(draws.permutation(trained)[: len(honest)])
            for trained, honest in zip(pools["train"], pools[split], strict=True)
        ]
