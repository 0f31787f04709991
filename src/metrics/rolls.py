"""Metrics of predicted piano rolls: which keys sound at the next step, given the steps before."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.metrics.further import further_metrics
from src.metrics.probabilities import as_probabilities
from src.metrics.threshold import middle_of_best

METRICS = (
    "nll",
    "nll_onsets",
    "f1_micro",
    "f1_macro",
    "precision_micro",
    "recall_micro",
    "accuracy",
    "onset_f1",
)
"""All metrics of `evaluate_rolls`; `nll_onsets` exists only where the rolls have onsets."""

ONSET = " onset"
"""Suffix of the names of onset columns."""

LEAST = 1e-12
"""Lower bound of the probability of the truth: a wrong prediction of 0 or 1 costs 27.6 nats, not infinity."""

GRID = 200
"""Candidates of the threshold from 0 to 1."""

BLOCK = 2**14
"""Frames held in float64 at a time."""


class Frames(NamedTuple):
    """The scored frames: all frames of a piece but the first, which nothing precedes.

    Attributes:
        now: (M, C) bool, the true columns. C is n_notes, or 2 · n_notes for rolls with onsets, [sounding | onsets].
        before: (M, C) bool, the true columns a step earlier in the same piece.
        piece: (M,) int64, which piece a frame belongs to.
    """

    now: Tensor
    before: Tensor
    piece: Tensor


def frames_of(frames: NDArray[Any], lengths: NDArray[Any]) -> Frames:
    """Return the scored frames of concatenated pieces.

    Args:
        frames: (F, C), 0 or 1 of any type.
        lengths: (P,) integers that sum to F; in pieces of 0 or 1 frames none is scored.
    """
    assert lengths.sum() == len(frames)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    scored = np.flatnonzero(np.arange(len(frames)) > first)
    piece = np.repeat(np.arange(len(lengths)), lengths)[scored]
    columns = np.asarray(frames, dtype=bool)
    return Frames(*map(torch.from_numpy, (columns[scored], columns[scored - 1], piece)))


def join_frames(batches: Sequence[Frames]) -> Frames:
    """Concatenate the frames of batches on the CPU, numbering the pieces consecutively."""
    pieces, first = [], 0
    for batch in batches:
        pieces.append(batch.piece.cpu() + first)
        first += int(batch.piece.max()) + 1 if len(batch.piece) else 0
    now = torch.cat([batch.now.cpu().bool() for batch in batches])
    before = torch.cat([batch.before.cpu().bool() for batch in batches])
    return Frames(now, before, torch.cat(pieces))


def n_notes(names: Sequence[str]) -> int:
    """Return the number of columns that are keys, whose names do not end in ` onset`."""
    return sum(not name.endswith(ONSET) for name in names)


def evaluate_rolls(probabilities: Tensor, frames: Frames, threshold: float, n_notes: int) -> dict[str, float]:
    """Score predicted columns; a key is predicted where its probability is greater than the threshold.

    0/0 counts as 0, except that a key that neither sounds nor is predicted has no F1 and is left out of `f1_macro`
    (scikit-learn with `zero_division=nan`). NaN, the output of a diverged model, counts as 0.

    Args:
        probabilities: (M, C) of any floating type, in 0..1; unlike float64, float32 rounds values above 1 − 6e-8 to 1.
        frames: M ≥ 1 frames.
        threshold: in 0..1, chosen on validation; for keys and onsets.
        n_notes: C, or C / 2 where the columns are [sounding | onsets].

    Returns:
        By name: `nll`, nats a frame: the negative log-likelihood summed over the keys, over all frames of all
        pieces together, as in Boulanger-Lewandowski et al., 'Modeling Temporal Dependencies in
        High-Dimensional Sequences', 2012, and Bai et al., 'An Empirical Evaluation of Generic Convolutional
        and Recurrent Networks for Sequence Modeling', 2018. In 0..1: `f1_micro`, `precision_micro`,
        `recall_micro` and `f1_macro` (mean over keys) of the keys that sound; `accuracy`, the share of all
        pairs of frame and key that are right, which is near 1 for silence, too; `onset_f1`, the micro-F1 of note
        onsets. A key has an onset where it sounds now, in truth or prediction, and truly didn't a step before. Where
        C = 2 · n_notes, onsets are those of the onset columns, and `nll_onsets` is the `nll` of these.

    Raises:
        ValueError: a probability is outside 0..1.
    """
    totals = totals_by_piece(probabilities, frames, threshold, n_notes)
    together = {name: total.sum(1, keepdim=True) for name, total in totals.items()}
    metrics = {name: float(value) for name, value in metrics_of_totals(together).items()}
    return metrics | further_metrics("rolls", probabilities, frames, threshold)


def tune_threshold_rolls(probabilities: Tensor, frames: Frames, n_notes: int) -> float:
    """Find the threshold with the best micro-F1 of the sounding keys.

    Candidates are 0, .005, … .995; of several equally good ones the middle of the widest run is taken, as in
    `tune_threshold`.

    Args:
        probabilities: (M, C), in 0..1.
        frames: M ≥ 1 frames.
        n_notes: number of keys; onset columns are ignored.

    Returns:
        A threshold in 0..1.

    Raises:
        ValueError: a probability is outside 0..1.
    """
    truth = frames.now[:, :n_notes].cpu().bool()
    candidates = torch.arange(GRID) / GRID
    passed = torch.bucketize(as_probabilities(probabilities[:, :n_notes]), candidates, out_int32=True)
    predicted, hits = _count_above(passed.flatten()), _count_above(passed[truth])
    f1 = 2 * hits / (predicted + truth.sum()).clamp(min=1)
    return middle_of_best(candidates, f1)


def totals_by_piece(
    probabilities: Tensor, frames: Frames, threshold: float, n_notes: int
) -> dict[str, Tensor]:
    """Sum the quantities that the metrics are computed from over the frames of each piece.

    Args:
        probabilities: see `evaluate_rolls`.
        frames: M frames of P pieces; pieces without frames don't count.
        threshold: in 0..1.
        n_notes: number of keys.

    Returns:
        float64 by name: `hits`, `false` and `missed`, each (n_notes, P); `onset_hits`, `onset_false`,
        `onset_missed`, `nll`, `frames`, and `nll_onsets` where C = 2 · n_notes, each (1, P).

    Raises:
        ValueError: a probability is outside 0..1.
    """
    assert probabilities.shape == frames.now.shape
    assert probabilities.shape[1] in (n_notes, 2 * n_notes)
    pieces, position = torch.unique(frames.piece.cpu(), return_inverse=True)
    totals: dict[str, Tensor] = {}
    # Each frame's contribution (M, n) is added to the row of its piece, (P, n), block by block to bound memory.
    for start in range(0, len(position), BLOCK):
        block = slice(start, start + BLOCK)
        now, before = frames.now[block].cpu().bool(), frames.before[block].cpu().bool()
        for name, values in _summands(probabilities[block], now, before, threshold, n_notes).items():
            if name not in totals:
                totals[name] = torch.zeros(len(pieces), values.shape[1], dtype=torch.float64)
            totals[name].index_add_(0, position[block], values.double())
    return {name: total.T for name, total in totals.items()}


def metrics_of_totals(totals: dict[str, Tensor]) -> dict[str, Tensor]:
    """Compute the metrics from sums over frames.

    Args:
        totals: of `totals_by_piece`, summed over pieces with R sets of weights: each (n_notes, R) or (1, R).

    Returns:
        Each metric (R,).
    """
    # By key (n_notes, R) for macro averages, summed over keys (R,) for micro averages.
    hits, false, missed = totals["hits"], totals["false"], totals["missed"]
    occurs = (hits + false + missed > 0).sum(0)
    hit, wrong, lost = hits.sum(0), false.sum(0), missed.sum(0)
    frames = totals["frames"][0]
    return {name: totals[name][0] / frames for name in ("nll", "nll_onsets") if name in totals} | {
        "f1_micro": _f1(hit, wrong, lost),
        "f1_macro": _f1(hits, false, missed).sum(0) / occurs.clamp(min=1),
        "precision_micro": hit / (hit + wrong).clamp(min=1),
        "recall_micro": hit / (hit + lost).clamp(min=1),
        "accuracy": 1 - (wrong + lost) / (frames * len(hits)),
        "onset_f1": _f1(*(totals[f"onset_{name}"][0] for name in ("hits", "false", "missed"))),
    }


def _summands(
    probabilities: Tensor, now: Tensor, before: Tensor, threshold: float, n_notes: int
) -> dict[str, Tensor]:
    """Return each frame's contribution to the totals: (M, n_notes) or (M, 1) each."""
    answers = as_probabilities(probabilities) > threshold
    costs = _nats(probabilities, now)
    keys, onsets = slice(n_notes), slice(n_notes, None)
    added = dict(zip(("hits", "false", "missed"), _outcomes(answers[:, keys], now[:, keys]), strict=True))
    added |= {"nll": costs[:, keys].sum(1, keepdim=True), "frames": torch.ones(len(now), 1)}
    if now.shape[1] > n_notes:
        starts = _outcomes(answers[:, onsets], now[:, onsets])
        added["nll_onsets"] = costs[:, onsets].sum(1, keepdim=True)
    else:
        starts = _outcomes(answers & ~before, now & ~before)
    for name, outcome in zip(("hits", "false", "missed"), starts, strict=True):
        added[f"onset_{name}"] = outcome.sum(1, keepdim=True)
    return added


def _outcomes(answers: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return answers & truth, answers & ~truth, ~answers & truth


def _nats(probabilities: Tensor, truth: Tensor) -> Tensor:
    """Return −log of the probability of each true value, float64 of the same shape."""
    scores = probabilities.detach().cpu().double().nan_to_num(0.0)
    return -torch.where(truth, scores, 1 - scores).clamp(LEAST, 1.0).log()


def _f1(hits: Tensor, false: Tensor, missed: Tensor) -> Tensor:
    return 2 * hits / (2 * hits + false + missed).clamp(min=1)


def _count_above(passed: Tensor) -> Tensor:
    """Convert the number of candidates below each score to the number of scores above each candidate, float64."""
    counts = torch.bincount(passed, minlength=GRID + 1).double()
    return counts.flip(0).cumsum(0).flip(0)[1:]
