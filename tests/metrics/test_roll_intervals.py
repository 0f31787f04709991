import numpy as np
import pytest
import torch

from src.metrics.bootstrap import intervals, resample_weights
from src.metrics.kinds import KINDS
from src.metrics.rolls import METRICS, ONSET, Frames, evaluate_rolls

RESAMPLES = 40
N_NOTES = 4


def random_part(n_columns, n_pieces=9):
    """Pieces of unequal length, and a key that only one of them holds."""
    generator = torch.Generator().manual_seed(1)
    piece = torch.arange(n_pieces).repeat_interleave(torch.arange(n_pieces) + 2)
    now = torch.rand(len(piece), n_columns, generator=generator) < 0.3
    now[:, 1] = piece == 3
    before = torch.rand(len(piece), n_columns, generator=generator) < 0.3
    probabilities = 0.3 * now + 0.7 * torch.rand(len(piece), n_columns, generator=generator)
    probabilities[:, 1] = 0.6 * now[:, 1]
    return probabilities.double(), Frames(now, before, piece)


def intervals_rolls(probabilities, frames, threshold, *, resamples, seed=0, groups=None):
    """Of pieces, each its own group unless groups are given."""
    keys = [f"key {number}" for number in range(N_NOTES)]
    names = keys + [f"{key}{ONSET}" for key in keys] * (probabilities.shape[1] > N_NOTES)
    measures = KINDS["rolls"].weighted(probabilities, frames, threshold, names)
    groups = np.arange(len(frames.piece.unique())) if groups is None else groups
    return intervals(measures, groups, resamples=resamples, seed=seed)


def plain_loop(probabilities, frames, threshold, seed=0):
    """Evaluate the repeated pieces of each resample, one after the other."""
    names = frames.piece.unique()
    weights = torch.cat(list(resample_weights(np.arange(len(names)), RESAMPLES, seed)), dim=1).long()
    measured = []
    for drawn in weights.T:
        repeats = dict(zip(names.tolist(), drawn.tolist(), strict=True))
        times = torch.tensor([repeats[piece] for piece in frames.piece.tolist()])
        rows = torch.arange(len(times)).repeat_interleave(times)
        again = Frames(*(part[rows] for part in frames))
        measured.append(evaluate_rolls(probabilities[rows], again, threshold, N_NOTES))
    ends = [0.025, 0.975]
    return {name: tuple(np.quantile([one[name] for one in measured], ends)) for name in measured[0]}


@pytest.mark.parametrize("n_columns", [N_NOTES, 2 * N_NOTES])
def test_is_the_metric_of_the_repeated_pieces(n_columns):
    probabilities, frames = random_part(n_columns)
    reference = plain_loop(probabilities, frames, 0.4)
    found = intervals_rolls(probabilities, frames, 0.4, resamples=RESAMPLES)
    assert found.keys() == reference.keys()
    for name, interval in reference.items():
        assert found[name] == pytest.approx(interval), name


def test_names_are_those_announced():
    part = random_part(2 * N_NOTES)
    assert intervals_rolls(*part, 0.4, resamples=3).keys() == set(METRICS)


def test_gaps_in_the_numbers_of_pieces_draw_nothing():
    probabilities, frames = random_part(N_NOTES)
    spread = frames._replace(piece=5 * frames.piece + 2)
    expected = intervals_rolls(probabilities, frames, 0.4, resamples=RESAMPLES)
    assert intervals_rolls(probabilities, spread, 0.4, resamples=RESAMPLES) == expected


def test_one_piece_has_no_spread():
    probabilities, frames = random_part(N_NOTES, n_pieces=1)
    found = intervals_rolls(probabilities, frames, 0.4, resamples=5)
    measured = evaluate_rolls(probabilities, frames, 0.4, N_NOTES)
    assert all(interval == pytest.approx((measured[name],) * 2) for name, interval in found.items())


def test_seed_decides():
    part = random_part(N_NOTES)
    first, same, other = (intervals_rolls(*part, 0.4, resamples=RESAMPLES, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert first["nll"] != other["nll"]


def test_pieces_and_not_frames_are_drawn():
    """Frames that repeat one another within a piece make the interval no narrower."""
    probabilities, frames = random_part(N_NOTES)
    rows = torch.arange(len(probabilities)).repeat_interleave(50)
    longer = Frames(*(part[rows] for part in frames))
    expected = intervals_rolls(probabilities, frames, 0.4, resamples=RESAMPLES)
    found = intervals_rolls(probabilities[rows], longer, 0.4, resamples=RESAMPLES)
    assert all(found[name] == pytest.approx(expected[name]) for name in expected)


def test_pieces_of_one_group_are_drawn_together():
    """A variant of each piece, in its group, makes the interval no narrower."""
    probabilities, frames = random_part(N_NOTES)
    twice = Frames(*(torch.cat([part, part]) for part in frames))
    twice = twice._replace(piece=torch.cat([frames.piece, frames.piece + 9]))
    doubled, groups = torch.cat([probabilities] * 2), np.tile(np.arange(9), 2)
    expected = intervals_rolls(probabilities, frames, 0.4, resamples=RESAMPLES)
    found = intervals_rolls(doubled, twice, 0.4, resamples=RESAMPLES, groups=groups)
    assert all(found[name] == pytest.approx(expected[name]) for name in expected)
    naive = intervals_rolls(doubled, twice, 0.4, resamples=RESAMPLES)
    assert naive["nll"] != pytest.approx(expected["nll"])
