import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bernoulli
from sklearn.metrics import f1_score, precision_score, recall_score

from src.metrics.rolls import METRICS, Frames, evaluate_rolls, frames_of, tune_threshold_rolls

N_NOTES = 6


@pytest.fixture
def part():
    return random_part()


def random_part(n_columns=N_NOTES, n_frames=80, seed=3):
    """Frames of four pieces; key 4 is never true nor answered, key 5 never true."""
    generator = torch.Generator().manual_seed(seed)
    now = torch.rand(n_frames, n_columns, generator=generator) < 0.3
    before = torch.rand(n_frames, n_columns, generator=generator) < 0.3
    now[:, 4:N_NOTES] = False
    probabilities = (0.3 * now + 0.7 * torch.rand(n_frames, n_columns, generator=generator)).double()
    probabilities[:, 4] = 0.01
    return probabilities, Frames(now, before, torch.arange(n_frames) // 20)


def nats(probabilities, truth):
    """Mean over frames of scipy's log-likelihood, the protocol's own words."""
    return -bernoulli.logpmf(truth.int().numpy(), probabilities.numpy()).sum(1).mean()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.62, 0.99])
def test_keys_agree_with_sklearn(part, threshold):
    probabilities, frames = part
    answers, truth = probabilities > threshold, frames.now
    found = evaluate_rolls(probabilities, frames, threshold, N_NOTES)
    assert found["f1_micro"] == pytest.approx(f1_score(truth, answers, average="micro", zero_division=0))
    macro = f1_score(truth, answers, average="macro", zero_division=np.nan)
    assert found["f1_macro"] == pytest.approx(macro)
    precision = precision_score(truth, answers, average="micro", zero_division=0)
    assert found["precision_micro"] == pytest.approx(precision)
    assert found["recall_micro"] == pytest.approx(recall_score(truth, answers, average="micro"))
    assert found["accuracy"] == pytest.approx(np.mean(truth.numpy() == answers.numpy()))


def test_nll_is_nats_a_frame_over_all_pieces(part):
    probabilities, frames = part
    found = evaluate_rolls(probabilities, frames, 0.5, N_NOTES)
    assert found["nll"] == pytest.approx(nats(probabilities, frames.now))


def test_sure_and_wrong_costs_what_the_clamp_says():
    frames = Frames(torch.tensor([[True, False]]), torch.zeros(1, 2).bool(), torch.tensor([0]))
    found = evaluate_rolls(torch.tensor([[0.0, 1.0]]), frames, 0.5, 2)
    assert found["nll"] == pytest.approx(2 * -np.log(1e-12))


def test_probabilities_near_1_keep_their_digits():
    frames = Frames(torch.tensor([[False]]), torch.tensor([[False]]), torch.tensor([0]))
    close = torch.tensor([[1 - 1e-9]], dtype=torch.float64)
    assert evaluate_rolls(close, frames, 0.5, 1)["nll"] == pytest.approx(-np.log(1e-9), rel=1e-6)


def test_onset_is_a_key_that_did_not_sound_truly_a_step_before(part):
    probabilities, frames = part
    starts, answered = frames.now & ~frames.before, (probabilities > 0.4) & ~frames.before
    expected = f1_score(starts.flatten(), answered.flatten())
    assert evaluate_rolls(probabilities, frames, 0.4, N_NOTES)["onset_f1"] == pytest.approx(expected)


def test_onset_columns_are_scored_apart():
    probabilities, frames = random_part(n_columns=2 * N_NOTES)
    found = evaluate_rolls(probabilities, frames, 0.4, N_NOTES)
    keys, onsets = probabilities[:, :N_NOTES], probabilities[:, N_NOTES:]
    alone = evaluate_rolls(keys, Frames(*(x[:, :N_NOTES] for x in frames[:2]), frames.piece), 0.4, N_NOTES)
    expected = f1_score(frames.now[:, N_NOTES:], onsets > 0.4, average="micro")
    assert found.pop("onset_f1") == pytest.approx(expected)
    assert found.pop("nll_onsets") == pytest.approx(nats(onsets, frames.now[:, N_NOTES:]))
    alone.pop("onset_f1")
    assert found == pytest.approx(alone)


def test_names_are_those_announced():
    probabilities, frames = random_part(n_columns=2 * N_NOTES)
    assert evaluate_rolls(probabilities, frames, 0.5, N_NOTES).keys() == set(METRICS)


def test_silence_answered_by_silence_is_0_but_for_accuracy():
    frames = Frames(torch.zeros(5, 3).bool(), torch.zeros(5, 3).bool(), torch.zeros(5).long())
    found = evaluate_rolls(torch.zeros(5, 3), frames, 0.5, 3)
    assert found.pop("accuracy") == 1
    assert set(found.values()) == {0}


def test_blocks_make_no_difference(part, monkeypatch):
    whole = evaluate_rolls(*part, 0.4, N_NOTES)
    monkeypatch.setattr("src.metrics.rolls.BLOCK", 7)
    assert evaluate_rolls(*part, 0.4, N_NOTES) == pytest.approx(whole)


def test_order_of_frames_makes_no_difference(part):
    probabilities, frames = part
    order = torch.randperm(len(probabilities), generator=torch.Generator().manual_seed(0))
    mixed = Frames(*(x[order] for x in frames))
    expected = pytest.approx(evaluate_rolls(probabilities, frames, 0.4, N_NOTES))
    assert evaluate_rolls(probabilities[order], mixed, 0.4, N_NOTES) == expected


def test_is_plain_json(part):
    found = evaluate_rolls(*part, 0.5, N_NOTES)
    assert json.loads(json.dumps(found)) == found


def test_nan_counts_as_0(part):
    probabilities, frames = part
    broken = probabilities.clone()
    broken[:, 1] = torch.nan
    probabilities[:, 1] = 0.0
    assert evaluate_rolls(broken, frames, 0.5, N_NOTES) == evaluate_rolls(probabilities, frames, 0.5, N_NOTES)


def test_refuses_logits(part):
    with pytest.raises(ValueError, match="sigmoid"):
        evaluate_rolls(10 * part[0] - 5, part[1], 0.5, N_NOTES)


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6).filter(lambda lengths: max(lengths) > 1),
    seed=st.integers(0, 99),
)
def test_frames_are_neighbours_within_a_piece(lengths, seed):
    columns = np.random.default_rng(seed).random((sum(lengths), 3)) < 0.5
    pieces = np.split(columns, np.cumsum(lengths)[:-1])
    found = frames_of(columns, np.array(lengths))
    assert np.array_equal(found.now, np.concatenate([piece[1:] for piece in pieces]))
    assert np.array_equal(found.before, np.concatenate([piece[:-1] for piece in pieces]))
    assert found.piece.tolist() == [i for i, piece in enumerate(pieces) for _ in piece[1:]]


@pytest.mark.parametrize("power", [0.5, 1, 3])
def test_no_threshold_of_the_grid_is_better(part, power):
    probabilities, frames = part[0] ** power, part[1]

    def f1(threshold):
        return f1_score(frames.now, probabilities > threshold, average="micro", zero_division=0)

    chosen = tune_threshold_rolls(probabilities, frames, N_NOTES)
    assert f1(chosen) == pytest.approx(max(f1(step / 200) for step in range(200)))


def test_threshold_is_consistent_on_the_grid_itself():
    """Scores of exactly .3 are answers below .3 only, so the best threshold leaves them out."""
    now = torch.tensor([[True], [False]])
    frames = Frames(now, torch.zeros(2, 1).bool(), torch.zeros(2).long())
    chosen = tune_threshold_rolls(torch.tensor([[0.305], [0.3]]), frames, 1)
    assert chosen == pytest.approx(0.3)
    assert evaluate_rolls(torch.tensor([[0.305], [0.3]]), frames, chosen, 1)["f1_micro"] == 1


def test_threshold_is_in_the_middle_of_what_separates():
    now = torch.tensor([[True, False], [False, True]])
    frames = Frames(now, torch.zeros(2, 2).bool(), torch.zeros(2).long())
    assert tune_threshold_rolls(now.float(), frames, 2) == pytest.approx(0.5, abs=0.006)


def test_onset_columns_have_no_say_in_the_threshold():
    probabilities, frames = random_part(n_columns=2 * N_NOTES)
    keys = Frames(*(x[:, :N_NOTES] for x in frames[:2]), frames.piece)
    alone = tune_threshold_rolls(probabilities[:, :N_NOTES], keys, N_NOTES)
    assert tune_threshold_rolls(probabilities, frames, N_NOTES) == alone
