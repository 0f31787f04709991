"""Percentile bootstrap intervals of piano rolls, over whole test pieces.

The frames of a piece are correlated, so whole pieces are drawn, with all their frames. As in `bootstrap`, a resample is
a weight for each piece, and all resamples are computed at once.
"""

from torch import Tensor

from src.metrics.bootstrap import Intervals, percentile_intervals
from src.metrics.rolls import Frames, metrics_of_totals, totals_by_piece


def intervals_rolls(
    probabilities: Tensor,
    frames: Frames,
    threshold: float,
    n_notes: int,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Intervals:
    """Return 95 % intervals of all metrics of `evaluate_rolls`.

    Args:
        probabilities: (M, C), in 0..1.
        frames: M ≥ 1 frames.
        threshold: in 0..1.
        n_notes: C, or C / 2 where the columns are [sounding | onsets].
        resamples: how many; from about 1000 on the ends of the interval are stable.
        seed: of the draws; the same seed and number of pieces give the same draws.

    Returns:
        (low, high) by metric.
    """
    totals = totals_by_piece(probabilities, frames, threshold, n_notes)

    def measure(weights: Tensor) -> dict[str, Tensor]:
        return metrics_of_totals({name: total @ weights.double() for name, total in totals.items()})

    return percentile_intervals(measure, totals["frames"].shape[1], resamples, seed)
