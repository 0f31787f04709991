"""Naive baselines of piano rolls, fitted, tuned and tested like the networks."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from src.metrics.baseline_data import Array, BaselineData
from src.metrics.rolls import Frames, evaluate_rolls, frames_of, n_notes, tune_threshold_rolls


def baselines_rolls(data: BaselineData) -> dict[str, dict[str, float]]:
    """Measure the baselines that predict the next column of a roll.

    Args:
        data: columns and lengths of pieces.

    Returns:
        By name, the test metrics of `evaluate_rolls`, `threshold`, and the validation metrics as `val_…`.
        `all_zero` predicts silence; its `nll` is that of the best constant, the density of the training rolls.
        `repeat_last` predicts the previous column; its `nll` is that of a Markov chain that all keys share, since it
        would be infinite for probabilities of 0 and 1. Both have a fixed threshold that results in this prediction
        (where a sounding key is likelier to sound next than a silent one).
        `independent_keys` predicts each key with its frequency in training, `markov` with its frequency given whether
        it sounded a step before (`KeyMarkov`); their thresholds are tuned on validation.
    """
    keys = n_notes(data.names)
    val, test = frames_of(*data.val), frames_of(*data.test)
    markov = KeyMarkov.fit(*data.train)
    tied = _tied(*data.train, keys)
    chains = {
        "all_zero": (_memoryless(tied), 1.0),
        "repeat_last": (tied, float((tied.enter[0] + tied.stay[0]) / 2)),
        "independent_keys": (_memoryless(markov), None),
        "markov": (markov, None),
    }
    return {name: _measured(chain, fixed, val, test, keys) for name, (chain, fixed) in chains.items()}


@dataclass(frozen=True, eq=False)
class KeyMarkov:
    """A first-order Markov chain for each column, independent of the others.

    Attributes:
        frequency: (C,) float64, P(1).
        enter: (C,) float64, P(1 | 0 a step before).
        stay: (C,) float64, P(1 | 1 a step before).
    """

    frequency: Tensor
    enter: Tensor
    stay: Tensor

    @classmethod
    def fit(cls, frames: Array, lengths: Array) -> "KeyMarkov":
        """Estimate the probabilities within pieces by Laplace's rule, (times + 1) / (cases + 2).

        Args:
            frames: (F, C), 0 or 1 of any type: the concatenated columns of all pieces.
            lengths: (P,) integers that sum to F.
        """
        return cls(*(_laplace(times, cases) for times, cases in _counts(frames, lengths)))

    def probabilities(self, before: Tensor) -> Tensor:
        """Return P(1) of each column at the next step.

        Args:
            before: (..., C) bool, the columns of the current step.

        Returns:
            (..., C) float64.
        """
        return torch.where(before.cpu().bool(), self.stay, self.enter)

    def first_columns(self, n_pieces: int, generator: np.random.Generator) -> Array:
        """Draw first columns, each key by its frequency: (n_pieces, C) bool."""
        frequency: Array = self.frequency.numpy()
        return generator.random((n_pieces, len(frequency))) < frequency

    def sample(self, n_steps: int, start: Array, generator: np.random.Generator) -> Array:
        """Continue from given columns. Onset columns are drawn independently of the sounding keys.

        Args:
            n_steps: T ≥ 0, columns to draw.
            start: (B, C), 0 or 1 of any type: the last column of each of B pieces.
            generator: source of all random numbers.

        Returns:
            (B, T, C) bool: the columns after `start`.
        """
        stay, enter = self.stay.numpy(), self.enter.numpy()
        now = np.asarray(start, dtype=bool)
        rolls = np.empty((len(now), n_steps, now.shape[1]), dtype=bool)
        for step in range(n_steps):
            now = rolls[:, step] = generator.random(now.shape) < np.where(now, stay, enter)
        return rolls


def _counts(frames: Array, lengths: Array) -> list[tuple[Tensor, Tensor]]:
    """Return times and cases, (C,) each, for `frequency`, `enter` and `stay`."""
    now, before, _ = frames_of(frames, lengths)
    ones = torch.from_numpy(np.count_nonzero(frames, axis=0))
    return [
        (ones, torch.full_like(ones, len(frames))),
        ((now & ~before).sum(0), (~before).sum(0)),
        ((now & before).sum(0), before.sum(0)),
    ]


def _laplace(times: Tensor, cases: Tensor) -> Tensor:
    return (times.double() + 1) / (cases + 2)


def _tied(frames: Array, lengths: Array, n_notes: int) -> KeyMarkov:
    """Return a chain with common probabilities for all keys, and for all onset columns."""

    def shared(counts: Tensor) -> Tensor:
        return counts.view(-1, n_notes).sum(1).repeat_interleave(n_notes)

    counts = _counts(frames, lengths)
    return KeyMarkov(*(_laplace(shared(times), shared(cases)) for times, cases in counts))


def _memoryless(chain: KeyMarkov) -> KeyMarkov:
    return KeyMarkov(chain.frequency, enter=chain.frequency, stay=chain.frequency)


def _measured(
    chain: KeyMarkov, fixed: float | None, val: Frames, test: Frames, n_notes: int
) -> dict[str, float]:
    """Return test and validation metrics at a fixed threshold, or at the best one on validation."""
    on_val, on_test = chain.probabilities(val.before), chain.probabilities(test.before)
    threshold = tune_threshold_rolls(on_val, val, n_notes) if fixed is None else fixed
    measured = evaluate_rolls(on_test, test, threshold, n_notes) | {"threshold": threshold}
    for name, value in evaluate_rolls(on_val, val, threshold, n_notes).items():
        measured[f"val_{name}"] = value
    return measured
