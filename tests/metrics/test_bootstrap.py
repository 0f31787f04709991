import numpy as np
import pytest
import torch

from src.metrics.bootstrap import intervals, resample_weights
from src.metrics.kinds import KINDS
from src.metrics.multiclass import evaluate_multiclass
from src.metrics.multilabel import evaluate_multilabel
from src.metrics.regression import evaluate_regression

pytestmark = pytest.mark.usefixtures("nothing_registered")

RESAMPLES = 40


def labels(n, seed=0, decimals=1):
    """Scores with many ties, and a rare class that some resamples miss."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(n, 3, generator=generator) < torch.tensor([0.5, 0.2, 0.03])).int()
    targets[0, 2] = 1
    scores = 0.3 * targets + 0.7 * torch.rand(n, 3, generator=generator)
    return scores.round(decimals=decimals), targets


def intervals_of(kind, outputs, targets, threshold=0.5, names="", resamples=RESAMPLES):
    """Each item its own group."""
    measures = KINDS[kind].weighted(outputs, targets, threshold, names)
    return intervals(measures, np.arange(len(outputs)), resamples=resamples)


def flat(metrics):
    """The numbers, those by axis under names of their own."""
    by_axis = {f"spearman_by_axis/{axis}": v for axis, v in metrics.get("spearman_by_axis", {}).items()}
    return metrics | by_axis


def plain_loop(evaluate, n, resamples=RESAMPLES, seed=0):
    """Evaluate the repeated items of each resample, one after the other."""
    weights = torch.cat(list(resample_weights(np.arange(n), resamples, seed)), dim=1).long()
    measured = [flat(evaluate(torch.arange(n).repeat_interleave(column))) for column in weights.T]
    names = [name for name, value in measured[0].items() if isinstance(value, float)]
    return {name: tuple(np.quantile([one[name] for one in measured], [0.025, 0.975])) for name in names}


def assert_same(found, reference):
    assert found.keys() == reference.keys()
    for name, interval in reference.items():
        assert found[name] == pytest.approx(interval, abs=2e-5), name


@pytest.mark.parametrize("decimals", [1, 6])
def test_multilabel_is_the_metric_of_the_repeated_items(decimals):
    scores, targets = labels(50, decimals=decimals)
    reference = plain_loop(lambda i: evaluate_multilabel(scores[i], targets[i], 0.4, "abc"), 50)
    assert_same(intervals_of("multilabel", scores, targets, 0.4), reference)


def test_multilabel_with_a_threshold_for_each_class():
    scores, targets = labels(50)
    each = torch.tensor([0.25, 0.55, 0.35])
    reference = plain_loop(lambda i: evaluate_multilabel(scores[i], targets[i], each, "abc"), 50)
    assert_same(intervals_of("multilabel", scores, targets, each), reference)


def test_multilabel_with_items_that_have_no_label():
    scores, targets = labels(30)
    scores, targets[6:] = scores.roll(1, 0), 0
    reference = plain_loop(lambda i: evaluate_multilabel(scores[i], targets[i], 0.4, "abc"), 30)
    assert reference["top_n_exact"][0] < reference["top_n_exact"][1]
    assert_same(intervals_of("multilabel", scores, targets, 0.4), reference)


def test_multiclass_is_the_metric_of_the_repeated_items():
    targets = torch.arange(50) % 7 % 4
    scores = torch.eye(5)[targets] + torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    reference = plain_loop(lambda i: evaluate_multiclass(scores[i], targets[i], "abcde"), 50)
    assert_same(intervals_of("multiclass", scores, targets), reference)


@pytest.mark.parametrize("decimals", [1, 6])
def test_regression_is_the_metric_of_the_repeated_items(decimals):
    targets = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    predictions = (targets + targets.roll(1, 0)).round(decimals=decimals)
    reference = plain_loop(lambda i: evaluate_regression(predictions[i], targets[i], "ab"), 50)
    assert_same(intervals_of("regression", predictions, targets, names="ab"), reference)


def test_a_constant_prediction_has_rank_correlation_0():
    predictions = torch.stack([torch.full((30,), 0.3), torch.linspace(0, 1, 30)], dim=1)
    targets = torch.stack([torch.rand(30), torch.linspace(0, 1, 30)], dim=1)
    found = intervals_of("regression", predictions, targets, names=("still", "right"))
    assert found["spearman_by_axis/still"] == (0, 0)
    assert found["spearman_by_axis/right"] == pytest.approx((1, 1))
    assert found["spearman"] == pytest.approx((0.5, 0.5))


def test_blocks_change_nothing(monkeypatch):
    scores, targets = labels(50)
    whole = intervals_of("multilabel", scores, targets, 0.4)
    monkeypatch.setattr("src.metrics.bootstrap.CELLS", 50 * 7)
    assert [block.shape for block in resample_weights(np.arange(50), 16, 0)] == [(50, 7), (50, 7), (50, 2)]
    assert_same(intervals_of("multilabel", scores, targets, 0.4), whole)


def test_weights_are_counts_of_draws():
    (weights,) = resample_weights(np.arange(200), 1000, seed=1)
    assert (weights.sum(0) == 200).all()
    assert weights.var().item() == pytest.approx(1.0, abs=0.02)
    assert torch.equal(weights, next(resample_weights(np.arange(200), 1000, seed=1)))
    assert not torch.equal(weights, next(resample_weights(np.arange(200), 1000, seed=2)))


def test_intervals_cover_the_truth_about_95_times_in_100():
    covered = 0
    for seed in range(200):
        answers = torch.rand(150, generator=torch.Generator().manual_seed(seed)) < 0.7
        scores = torch.stack([~answers, answers], dim=1).float()
        low, high = intervals_of("multiclass", scores, torch.ones(150).int(), resamples=400)["accuracy"]
        covered += low <= 0.7 <= high
    assert 0.89 <= covered / 200 <= 0.99
