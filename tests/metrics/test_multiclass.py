import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from src.metrics.multiclass import evaluate_multiclass

CLASSES = ("rock", "folk", "jazz", "blues", "pop")


@pytest.fixture
def part():
    generator = torch.Generator().manual_seed(1)
    targets = torch.randint(5, (80,), generator=generator)
    scores = torch.eye(5)[targets] + 0.8 * torch.randn(80, 5, generator=generator)
    return scores.softmax(1), targets


def expected(probabilities, targets):
    answers = probabilities.argmax(1)
    macro = {"average": "macro", "zero_division": 0}
    return {
        "f1_macro": f1_score(targets, answers, **macro),
        "f1_micro": f1_score(targets, answers, average="micro"),
        "precision_macro": precision_score(targets, answers, **macro),
        "recall_macro": recall_score(targets, answers, **macro),
        "accuracy": accuracy_score(targets, answers),
    }


def test_agrees_with_sklearn(part):
    found = evaluate_multiclass(*part, CLASSES)
    by_class = f1_score(part[1], part[0].argmax(1), average=None)
    assert found.pop("f1_by_class") == pytest.approx(dict(zip(CLASSES, by_class, strict=True)), abs=1e-6)
    assert found == pytest.approx(expected(*part), abs=1e-6)


@pytest.mark.parametrize("answered", [False, True])
def test_class_without_items_counts_only_where_it_is_answered(part, answered):
    probabilities, targets = part
    targets[targets == 3] = 0
    if not answered:
        probabilities[:, 3] = 0.0
    found = evaluate_multiclass(probabilities, targets, CLASSES)
    assert found.pop("f1_by_class")["blues"] == 0
    assert found == pytest.approx(expected(probabilities, targets), abs=1e-6)
