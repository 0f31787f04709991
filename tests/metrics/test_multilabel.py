import json

import pytest
import torch
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, precision_score, recall_score

from src.metrics.multilabel import evaluate_multilabel
from src.metrics.top_n import tables
from tests.metrics.test_top_n import by_hand

pytestmark = pytest.mark.usefixtures("nothing_registered")

CLASSES = ("piano", "violin", "trumpet", "bass")


@pytest.fixture
def part():
    generator = torch.Generator().manual_seed(3)
    targets = torch.randint(2, (60, 4), generator=generator)
    probabilities = (0.25 * targets + 0.75 * torch.rand(60, 4, generator=generator)).double()
    return (20 * probabilities).round() / 20, targets


def expected(probabilities, targets, threshold):
    answers = probabilities > threshold
    measured = {"subset_accuracy": accuracy_score(targets, answers)}
    for name, score in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        for average in ("macro", "micro"):
            measured[f"{name}_{average}"] = score(targets, answers, average=average, zero_division=0)
    kept = targets.any(0)
    measured["average_precision"] = average_precision_score(targets[:, kept], probabilities[:, kept])
    return (
        measured
        | by_hand(probabilities.float(), targets.bool())
        | {"f1_by_class": dict(zip(CLASSES, f1_score(targets, answers, average=None), strict=True))}
    )


def assert_agrees(found, reference):
    del found["right_of_n"], found["top_n_recall_by_class"], found["label_confusion"]
    assert found.keys() == reference.keys()
    by_class = reference.pop("f1_by_class")
    assert found.pop("f1_by_class") == pytest.approx(by_class, abs=1e-6)
    assert found == pytest.approx(reference, abs=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.62, 0.99])
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_sklearn(part, threshold):
    assert_agrees(evaluate_multilabel(*part, threshold, CLASSES), expected(*part, threshold))


@pytest.mark.filterwarnings("ignore")
def test_a_threshold_for_each_class_agrees_with_sklearn(part):
    each = torch.tensor([0.11, 0.36, 0.62, 0.99])
    assert_agrees(evaluate_multilabel(*part, each, CLASSES), expected(*part, each))


def test_a_single_label_has_an_f1():
    targets, probabilities = torch.tensor([[1], [0], [0], [1]]), torch.tensor([[0.9], [0.2], [0.7], [0.1]])
    found = evaluate_multilabel(probabilities, targets, 0.5, ("piano",))
    assert found["f1_by_class"] == {"piano": f1_score(targets, probabilities > 0.5)}
    assert found["f1_macro"] == found["f1_micro"] == found["f1_by_class"]["piano"]


@pytest.mark.filterwarnings("ignore")
def test_class_without_positives_is_0_in_macro_and_left_out_of_average_precision(part):
    probabilities, targets = part
    targets[:, 2] = 0
    probabilities[:, 2] = 0.0
    found = evaluate_multilabel(probabilities, targets, 0.5, CLASSES)
    assert found["f1_by_class"]["trumpet"] == 0
    assert_agrees(found, expected(probabilities, targets, 0.5))


@pytest.mark.filterwarnings("error")
def test_no_positive_at_all_is_0_without_a_warning():
    found = evaluate_multilabel(torch.rand(5, 4), torch.zeros(5, 4), 0.5, CLASSES)
    assert found["average_precision"] == 0
    assert found["f1_macro"] == 0


def test_a_probability_at_the_threshold_is_no_answer():
    targets = torch.ones(1, 4)
    assert evaluate_multilabel(torch.full((1, 4), 0.5), targets, 0.5, CLASSES)["f1_macro"] == 0


def test_has_the_tables_of_top_n(part):
    found = evaluate_multilabel(*part, 0.5, CLASSES)
    expected_tables = tables(part[0].float(), part[1].bool(), CLASSES)
    assert {name: found[name] for name in expected_tables} == expected_tables
    assert set(found["right_of_n"]) == {"1", "2", "3", "4"}


def test_the_threshold_has_no_say_in_the_ranking(part):
    low, high = (evaluate_multilabel(*part, threshold, CLASSES) for threshold in (0.1, 0.9))
    ranked = ("top_1", "label_ranking_average_precision", "top_n_recall", "top_n_exact", "right_of_n")
    assert low["f1_macro"] != high["f1_macro"]
    assert {name: low[name] for name in ranked} == {name: high[name] for name in ranked}


def test_is_plain_json(part):
    found = evaluate_multilabel(*part, 0.5, CLASSES)
    assert json.loads(json.dumps(found)) == found


def test_refuses_logits():
    with pytest.raises(ValueError, match="sigmoid"):
        evaluate_multilabel(torch.tensor([[-2.0, 3.0, 0.1, 0.2]]), torch.zeros(1, 4), 0.5, CLASSES)


def test_nan_counts_as_0(part):
    probabilities, targets = part
    broken = probabilities.clone()
    broken[:, 1] = torch.nan
    probabilities[:, 1] = 0.0
    assert evaluate_multilabel(broken, targets, 0.5, CLASSES) == evaluate_multilabel(
        probabilities, targets, 0.5, CLASSES
    )
