"""Generates pieces with trained networks, continuing the beginning of held-out pieces or silence."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from src.generation.options import Generation
from src.generation.roll_data import RollData
from src.generation.sampling import sample
from src.models.learner import Learner
from src.models.networks.roll_base import RollNetwork

Columns = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Piece:
    """A generated piece.

    Attributes:
        name: of the held-out piece that it continues, or `silence`.
        prime: (P, C), the given beginning; P = 0 from silence.
        columns: (T, C), the generated columns; C as in the data.
        held_out: (≤ T, C), the true continuation of the held-out piece; from silence, its beginning.
    """

    name: str
    prime: Columns
    columns: Columns
    held_out: Columns


def compose(
    learners: Sequence[Learner],
    data: RollData,
    options: Generation,
    seed: int,
    *,
    choice: int | None = None,
    split: str = "test",
) -> list[Piece]:
    """Generate pieces.

    Args:
        learners: trained; the probabilities of several are averaged.
        data: set up.
        options: of the generation.
        seed: of all draws; the same seed gives the same pieces.
        choice: seed for choosing the held-out pieces to continue; `None`: `seed`.
        split: of the held-out pieces: `test`, or `val` during training.
    """
    n_steps = options.length(data.grid)
    chosen = _chosen(data, split, options, seed if choice is None else choice)
    primes = np.stack([columns[: max(options.prime, 1)] for _, columns in chosen])
    start = torch.from_numpy(primes if options.prime else np.zeros_like(primes)).to(learners[0].device)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode(), _evaluating(learners) as networks:
        rolls = sample(networks, start, n_steps, options, generator, data.n_notes).numpy()
    return [
        Piece(
            name if options.prime else "silence",
            columns[: options.prime],
            generated,
            columns[options.prime : options.prime + n_steps],
        )
        for (name, columns), generated in zip(chosen, rolls, strict=True)
    ]


def _chosen(data: RollData, split: str, options: Generation, seed: int) -> list[tuple[str, Columns]]:
    """Return name and columns of random pieces that are longer than the prime, repeated if there are too few."""
    names = data.names(split)
    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    pieces = ((names[number], data.columns(split, number)) for number in order)
    drawn = list(
        itertools.islice((piece for piece in pieces if len(piece[1]) > options.prime), options.pieces)
    )
    if not drawn:
        drawn = [(names[number], data.columns(split, number)) for number in order[: options.pieces]]
    repeated = itertools.islice(itertools.cycle(drawn), options.pieces)
    return [(name, _padded(columns, options.prime)) for name, columns in repeated]


def _padded(columns: Columns, prime: int) -> Columns:
    """Prepend silence to a piece that is not longer than the prime, where all held-out pieces are so short."""
    return np.pad(columns, ((max(0, prime + 1 - len(columns)), 0), (0, 0)))


@contextlib.contextmanager
def _evaluating(learners: Sequence[Learner]) -> Iterator[list[RollNetwork]]:
    """Yield the networks in evaluation mode, and restore their modes afterwards."""
    networks = [learner.network for learner in learners]
    training = [network.training for network in networks]
    try:
        yield [cast(RollNetwork, network.eval()) for network in networks]
    finally:
        for network, mode in zip(networks, training, strict=True):
            network.train(mode)
