"""Answers among all classes of a checkpoint, of which the data have some."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from src.commands.open_set import measure_open
from src.commands.other_classes import ClassMap
from src.metrics.kinds import KINDS
from src.metrics.measuring import measure

CLASSES = ("piano", "guitar", "violin", "trumpet")
JUDGED = ClassMap((0, 2), ("piano", "violin"), (0, 1))


def test_an_answer_that_the_data_lack_is_wrong():
    # Of three items, the best-scored class is the guitar, the piano and the trumpet; of the judged ones all are right.
    outputs = torch.tensor([[0.6, 0.9, 0.1, 0.0], [0.8, 0.2, 0.3, 0.1], [0.2, 0.1, 0.4, 0.7]])
    truth = torch.tensor([[1, 0], [1, 0], [0, 1]])
    metrics = measure_open("multilabel", JUDGED, CLASSES, outputs, truth, 0.5, np.arange(len(truth))).metrics

    assert metrics["top_1"] == pytest.approx(1 / 3)
    assert metrics["top_1_of_judged"] == 1
    assert metrics["subset_accuracy"] == pytest.approx(
        1 / 3
    )  # the first has a guitar, too, the third a trumpet only
    assert metrics["subset_accuracy_of_judged"] == pytest.approx(2 / 3)
    assert metrics["precision_micro"] == pytest.approx(2 / 4)
    assert metrics["precision_micro_of_judged"] == 1
    assert metrics["top_n_recall_by_class"] == {"piano": 0.5, "violin": 0}
    assert metrics["label_confusion"]["violin"]["trumpet"] == 1
    assert set(metrics["f1_by_class"]) == set(metrics["label_confusion"]) == {"piano", "violin"}


def test_macro_averages_of_labels_are_those_of_the_judged_classes():
    generator = torch.Generator().manual_seed(1)
    outputs = torch.rand(40, 4, generator=generator)
    truth = torch.nn.functional.one_hot(torch.randint(2, (40,), generator=generator), 2)
    found = measure_open("multilabel", JUDGED, CLASSES, outputs, truth, 0.5, np.arange(len(truth)))
    closed = measure(
        KINDS["multilabel"], outputs[:, [0, 2]], truth, 0.5, JUDGED.names, groups=np.arange(len(truth))
    )

    for name in ("f1_macro", "precision_macro", "recall_macro", "average_precision"):
        assert found.metrics[name] == closed.metrics[name]
        assert found.intervals[name] == closed.intervals[name]
    assert found.metrics["recall_micro"] == found.metrics["recall_micro_of_judged"]
    low, high = found.intervals["top_1"]
    assert low <= found.metrics["top_1"] <= high < found.intervals["top_1_of_judged"][1]


def test_one_answer_an_item_agrees_with_sklearn():
    generator = torch.Generator().manual_seed(2)
    outputs = torch.rand(60, 4, generator=generator).softmax(1)
    truth = torch.randint(2, (60,), generator=generator)
    found = measure_open("multiclass", JUDGED, CLASSES, outputs, truth, 0.5, np.arange(len(truth)))

    true, answered = np.array([0, 2])[truth], outputs.argmax(1).numpy()
    options = {"labels": [0, 2], "average": "macro", "zero_division": 0}
    assert found.metrics["accuracy"] == pytest.approx(accuracy_score(true, answered))
    assert found.metrics["f1_macro"] == pytest.approx(f1_score(true, answered, **options))
    assert found.metrics["precision_macro"] == pytest.approx(precision_score(true, answered, **options))
    assert found.metrics["recall_macro"] == pytest.approx(recall_score(true, answered, **options))
    closed = outputs[:, [0, 2]].argmax(1)
    assert found.metrics["accuracy_of_judged"] == pytest.approx((closed == truth).float().mean())
    assert list(found.metrics["confusion"]) == ["piano", "violin"]
    assert found.metrics["confusion"]["piano"]["guitar"] == ((true == 0) & (answered == 1)).sum()
    low, high = found.intervals["f1_macro"]
    assert low <= found.metrics["f1_macro"] <= high


@pytest.mark.parametrize("target", ["multilabel", "multiclass"])
def test_where_all_classes_are_judged_there_is_one_figure(target):
    every = ClassMap((0, 1, 2, 3), CLASSES, (0, 1, 2, 3))
    outputs, truth = torch.rand(20, 4), torch.arange(20) % 4
    truth = truth if target == "multiclass" else torch.nn.functional.one_hot(truth, 4)
    metrics = measure_open(target, every, CLASSES, outputs, truth, 0.5, np.arange(len(truth))).metrics

    assert metrics == KINDS[target].evaluate(outputs, truth, 0.5, CLASSES)


@pytest.mark.parametrize("target", ["multilabel", "multiclass"])
def test_the_open_figure_comes_first(target):
    truth = torch.tensor([0, 1]) if target == "multiclass" else torch.eye(2)
    names = list(
        measure_open(target, JUDGED, CLASSES, torch.rand(2, 4), truth, 0.5, np.arange(len(truth))).metrics
    )
    for name in (name for name in names if name.endswith("_of_judged")):
        assert names.index(name) == names.index(name.removesuffix("_of_judged")) + 1
