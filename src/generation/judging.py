"""Compares generated music with held-out music."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.generation.composing import Piece
from src.generation.options import Generation
from src.generation.roll_data import RollData
from src.metrics.music import Measures, distances, measures, summarise
from src.metrics.roll_baselines import KeyMarkov

Columns = NDArray[np.bool_]
LEAST_STEPS, LEAST_PIECES = 32, 4
MARKOV_SEED = 0
"""The same for all trials, so that the baseline is one row of a leaderboard."""


def judge(pieces: Sequence[Piece], data: RollData, options: Generation) -> dict[str, Any]:
    """Measure generated pieces, the held-out continuations, and the continuations of a key-wise Markov chain.

    Generated pieces are cut to the lengths of the held-out continuations. Continuations shorter than `LEAST_STEPS` are
    left out; if fewer than `LEAST_PIECES` are left, all results are empty.

    Returns:
        `generated`, `held_out` and `markov`: means of the measures; `distances` and `markov_distances`: distances from
        the held-out pieces, see `src.metrics.music.distances`.
    """
    pieces = [piece for piece in pieces if len(piece.held_out) >= LEAST_STEPS]
    if len(pieces) < LEAST_PIECES:
        return {key: {} for key in ("generated", "held_out", "markov", "distances", "markov_distances")}
    held_out = [_measured(piece.held_out, data, options) for piece in pieces]
    generated = [_measured(piece.columns[: len(piece.held_out)], data, options) for piece in pieces]
    markov = [_measured(columns, data, options) for columns in _markov(pieces, data)]
    return {
        "generated": summarise(generated),
        "held_out": summarise(held_out),
        "markov": summarise(markov),
        "distances": distances(generated, held_out),
        "markov_distances": distances(markov, held_out),
    }


def _measured(columns: Columns, data: RollData, options: Generation) -> Measures:
    onsets = columns[:, data.n_notes :] if data.onsets else None
    by_beats = data.grid is not None and data.grid.unit == "beats"
    return measures(
        columns[:, : data.n_notes],
        onsets,
        steps_per_beat=int(data.grid.rate) if by_beats and data.grid else None,
        beats_per_bar=options.beats_per_bar,
    )


def _markov(pieces: Sequence[Piece], data: RollData) -> list[Columns]:
    """Return the chain's continuations of the last column of each prime, or of a first column that it draws."""
    chain = KeyMarkov.fit(*data.arrays("train"))
    generator = np.random.default_rng(MARKOV_SEED)
    drawn = chain.first_columns(len(pieces), generator)
    start = [
        piece.prime[-1] if len(piece.prime) else first for piece, first in zip(pieces, drawn, strict=True)
    ]
    rolls = chain.sample(max(len(piece.held_out) for piece in pieces), np.stack(start), generator)
    return [roll[: len(piece.held_out)] for roll, piece in zip(rolls, pieces, strict=True)]
