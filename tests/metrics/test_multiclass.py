import json

import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from src.metrics.multiclass import evaluate_multiclass

pytestmark = pytest.mark.usefixtures("nothing_registered")

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
        "precision_micro": precision_score(targets, answers, average="micro"),
        "recall_macro": recall_score(targets, answers, **macro),
        "recall_micro": recall_score(targets, answers, average="micro"),
        "accuracy": accuracy_score(targets, answers),
    }


def assert_tables_agree(found, probabilities, targets):
    """Take the tables out of what was found, each compared with scikit-learn's report."""
    answers, numbers = probabilities.argmax(1), list(range(len(CLASSES)))
    report = classification_report(
        targets, answers, labels=numbers, target_names=CLASSES, output_dict=True, zero_division=0
    )
    for table, column in (
        ("f1_by_class", "f1-score"),
        ("precision_by_class", "precision"),
        ("recall_by_class", "recall"),
    ):
        assert found.pop(table) == pytest.approx({name: report[name][column] for name in CLASSES}, abs=1e-6)
    confusion = found.pop("confusion")
    assert json.loads(json.dumps(confusion)) == confusion
    assert [
        [row[name] for name in CLASSES] for row in (confusion[name] for name in CLASSES)
    ] == confusion_matrix(targets, answers, labels=numbers).tolist()
    assert {name: sum(row.values()) for name, row in confusion.items()} == {
        name: report[name]["support"] for name in CLASSES
    }


def test_agrees_with_sklearn(part):
    found = evaluate_multiclass(*part, CLASSES)
    assert_tables_agree(found, *part)
    assert found == pytest.approx(expected(*part), abs=1e-6)


@pytest.mark.parametrize("answered", [False, True])
def test_class_without_items_counts_only_where_it_is_answered(part, answered):
    probabilities, targets = part
    targets[targets == 3] = 0
    if not answered:
        probabilities[:, 3] = 0.0
    found = evaluate_multiclass(probabilities, targets, CLASSES)
    assert found["f1_by_class"]["blues"] == 0
    assert_tables_agree(found, probabilities, targets)
    assert found == pytest.approx(expected(probabilities, targets), abs=1e-6)


def test_a_row_of_the_confusion_is_a_true_class():
    found = evaluate_multiclass(torch.eye(2)[[1, 1, 1, 0]], torch.tensor([0, 0, 1, 0]), ("rock", "folk"))
    assert found["confusion"] == {"rock": {"rock": 1, "folk": 2}, "folk": {"rock": 0, "folk": 1}}
