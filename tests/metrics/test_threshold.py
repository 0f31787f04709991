import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from src.metrics.multilabel import evaluate_multilabel
from src.metrics.threshold import cross_fitted, pcut, scut, tune_threshold


def macro_f1(probabilities, targets, threshold):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f1_score(targets, (probabilities > threshold).int(), average="macro", zero_division=0)


def random_part(seed, n=40, classes=3, low=0.0, high=1.0):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(2, (n, classes), generator=generator)
    scores = (0.3 * targets + 0.7 * torch.rand(n, classes, generator=generator)).clamp(0, 1)
    return low + (high - low) * scores, targets


@settings(max_examples=8)
@given(st.integers(0, 1000), st.sampled_from([(0.0, 1.0), (0.4, 0.41), (0.0, 1e-4)]))
def test_no_threshold_of_a_grid_or_of_the_scores_is_better(seed, band):
    probabilities, targets = random_part(seed, 30, 3, *band)
    found = macro_f1(probabilities, targets, tune_threshold(probabilities, targets))
    rivals = [*np.arange(0.0, 1.0, 0.01), *probabilities.flatten().tolist()]
    assert found == pytest.approx(max(macro_f1(probabilities, targets, t) for t in rivals), abs=1e-9)


def test_equally_good_thresholds_give_the_middle_of_the_widest_run():
    targets = torch.tensor([[1, 0], [0, 1], [1, 1]])
    assert tune_threshold(targets.float(), targets) == pytest.approx(0.5, abs=0.011)
    scores = torch.where(targets.bool(), 0.8, 0.2)
    assert tune_threshold(scores, targets) == pytest.approx(0.5, abs=0.011)


def test_the_same_score_everywhere_labels_everything():
    scores, targets = torch.full((10, 2), 0.003), torch.ones(10, 2)
    assert 0 <= tune_threshold(scores, targets) < 0.003


def test_no_positive_at_all():
    assert tune_threshold(torch.rand(10, 2), torch.zeros(10, 2)) == pytest.approx(0.5, abs=0.011)


def test_one_item():
    assert 0 <= tune_threshold(torch.tensor([[0.3]]), torch.tensor([[1]])) < 0.3


def test_refuses_logits():
    with pytest.raises(ValueError, match="sigmoid"):
        tune_threshold(torch.tensor([[-2.0, 3.0]]), torch.tensor([[0, 1]]))


def test_scut_is_the_best_of_each_class_alone():
    probabilities, targets = random_part(5, 60, 4)
    probabilities = probabilities ** torch.tensor([1.0, 3.0, 0.3, 8.0])
    found = scut(probabilities, targets)
    for scores, truth, threshold in zip(probabilities.T, targets.T, found, strict=True):
        rivals = [f1_score(truth, scores > rival) for rival in [0.0, *scores.tolist()]]
        assert f1_score(truth, scores > threshold) == pytest.approx(max(rivals), abs=1e-9)
    single = tune_threshold(probabilities, targets)
    assert macro_f1(probabilities, targets, found) > macro_f1(probabilities, targets, single)


@given(
    scores=st.lists(st.integers(0, 9).map(lambda tenths: tenths / 10), min_size=1, max_size=40),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_pcut_comes_as_near_to_the_share_as_ties_allow(scores, shares):
    """A probability of exactly 0 is never above a threshold."""
    column = torch.tensor(scores)
    answers = column[:, None] > pcut(column[:, None].expand(-1, len(shares)), torch.tensor(shares))
    possible = [int((column > value).sum()) for value in {*scores, 0.0}]
    for found, share in zip(answers.sum(0).tolist(), torch.tensor(shares).tolist(), strict=True):
        wanted = round(share * len(scores))
        assert found in possible
        assert abs(found - wanted) == min(abs(count - wanted) for count in possible)


def test_pcut_by_hand():
    probabilities = torch.tensor([[0.9, 0.1, 1.0], [0.7, 0.2, 1.0], [0.5, 0.4, 0.5], [0.2, 0.8, 0.5]])
    found = pcut(probabilities, torch.tensor([0.5, 0.0, 1.0]))
    assert found.tolist() == pytest.approx([0.6, 0.9, 0.25])
    assert pcut(probabilities, torch.tensor([0.25, 1.0, 0.25])).tolist() == pytest.approx([0.8, 0.05, 1.0])


def test_pcut_between_neighbouring_numbers():
    low = torch.tensor(0.5)
    scores = torch.stack([low, torch.nextafter(low, torch.tensor(1.0))])[:, None]
    assert (scores > pcut(scores, torch.tensor([0.5]))).sum() == 1


def test_a_cross_fitted_threshold_is_that_of_the_half_that_an_item_is_not_in():
    scores = torch.rand(40, 3, generator=torch.Generator().manual_seed(0))
    marks = (scores > 0.5).int()
    groups = np.repeat(np.arange(10), 4)
    found = cross_fitted(tune_threshold, scores, marks, groups)
    assert found.shape == (40, 1)
    half = found[:, 0] == found[0, 0]
    assert half.sum() == 20
    assert all(len(set(half[groups == group].tolist())) == 1 for group in range(10)), "a group is in one half"
    assert found[0, 0] == pytest.approx(tune_threshold(scores[~half], marks[~half]))
    assert found[~half][0, 0] == pytest.approx(tune_threshold(scores[half], marks[half]))
    assert cross_fitted(scut, scores, marks, groups).shape == (40, 3)


def test_without_anything_to_learn_a_tuned_threshold_flatters_and_a_cross_fitted_one_does_not():
    generator = torch.Generator().manual_seed(0)
    gain = {"tuned": [], "cross-fitted": []}
    names = [f"class {number}" for number in range(4)]
    for _ in range(60):
        scores, marks = torch.rand(24, 4, generator=generator), torch.rand(24, 4, generator=generator) < 0.3
        fresh, truth = (
            torch.rand(2000, 4, generator=generator),
            torch.rand(2000, 4, generator=generator) < 0.3,
        )
        tuned = tune_threshold(scores, marks)
        honest = evaluate_multilabel(fresh, truth, tuned, names)["f1_macro"]
        crossed = cross_fitted(tune_threshold, scores, marks, np.arange(24))
        gain["tuned"].append(evaluate_multilabel(scores, marks, tuned, names)["f1_macro"] - honest)
        gain["cross-fitted"].append(evaluate_multilabel(scores, marks, crossed, names)["f1_macro"] - honest)
    assert np.mean(gain["tuned"]) > 0.03
    assert np.mean(gain["cross-fitted"]) < 0.01
