import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score
from torchmetrics.functional.classification import multilabel_ranking_average_precision

from src.metrics.top_n import metrics_of_sums, summands, tables

CLASSES = ("flute", "oboe", "horn", "viola")


def part(n_items, n_classes=4, levels=5, seed=0):
    """Scores with ties, and items with any number of labels."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(levels, size=(n_items, n_classes)) / levels
    truth = generator.random((n_items, n_classes)) < generator.random((n_items, 1))
    return torch.tensor(scores), torch.tensor(truth)


def metrics(scores, truth):
    sums = {name: values.sum() for name, values in summands(scores, truth).items()}
    return {name: float(value) for name, value in metrics_of_sums(sums).items()}


def labelled(scores, truth):
    """Of each item that has labels: its classes from the best to the worst, and the set of its labels."""
    for row, present in zip(scores.tolist(), truth.tolist(), strict=True):
        labels = {position for position, is_there in enumerate(present) if is_there}
        if labels:
            yield sorted(range(len(row)), key=lambda position: -row[position]), labels


def by_hand(scores, truth):
    """The metrics, item by item."""
    items = list(labelled(scores, truth))
    found = [len(labels & set(order[: len(labels)])) for order, labels in items]
    kept = truth.any(1)
    return {
        "top_1": np.mean([order[0] in labels for order, labels in items]),
        "label_ranking_average_precision": label_ranking_average_precision_score(truth[kept], scores[kept]),
        "top_n_recall": sum(found) / int(truth.sum()),
        "top_n_exact": np.mean([hits == len(labels) for hits, (_, labels) in zip(found, items, strict=True)]),
    }


@pytest.mark.filterwarnings("error")
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 9), st.integers(0, 1000))
def test_agrees_with_sklearn_and_with_counting(n_items, n_classes, levels, seed):
    scores, truth = part(n_items, n_classes, levels, seed)
    truth[0, 0] = True
    assert metrics(scores, truth) == pytest.approx(by_hand(scores, truth), abs=1e-6)


def test_ranking_precision_agrees_with_torchmetrics_where_every_item_has_a_label():
    scores, truth = torch.rand(200, 9), torch.rand(200, 9) < 0.3
    truth[:, 4] = True
    expected = multilabel_ranking_average_precision(scores, truth.long(), num_labels=9)
    assert metrics(scores, truth)["label_ranking_average_precision"] == pytest.approx(
        float(expected), abs=1e-6
    )


def test_equal_scores_are_in_the_order_of_the_classes():
    truth = torch.eye(2).bool()
    assert summands(torch.full((2, 2), 0.5), truth)["first"].tolist() == [1, 0]
    assert summands(torch.full((2, 2), 0.5), truth)["hits"].tolist() == [1, 0]


def test_many_equal_scores_stay_in_order():
    truth = torch.zeros(1, 500).bool()
    truth[0, :100] = True
    assert metrics(torch.zeros(1, 500), truth)["top_n_exact"] == 1


def test_items_without_labels_are_left_out():
    scores, truth = part(40)
    truth[::2] = False
    kept = truth.any(1)
    assert metrics(scores, truth) == pytest.approx(metrics(scores[kept], truth[kept]))
    assert tables(scores, truth, CLASSES) == tables(scores[kept], truth[kept], CLASSES)


@pytest.mark.filterwarnings("error")
def test_no_label_at_all_is_0():
    scores, truth = torch.rand(5, 4), torch.zeros(5, 4).bool()
    assert metrics(scores, truth) == dict.fromkeys(metrics(*part(9)), 0.0)
    assert tables(scores, truth, CLASSES) == {
        "right_of_n": {},
        "top_n_recall_by_class": dict.fromkeys(CLASSES, 0.0),
    }


def test_tables_of_four_items():
    scores = torch.tensor(
        [[0.9, 0.8, 0.1, 0.0], [0.9, 0.8, 0.1, 0.0], [0.0, 0.1, 0.8, 0.9], [0.3, 0.2, 0.1, 0.0]]
    )
    truth = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 0]]).bool()
    found = tables(scores, truth, CLASSES)
    assert found["right_of_n"] == {
        "1": {"0": 0, "1": 1},
        "2": {"0": 0, "1": 0.5, "2": 0.5},
        "3": {"0": 0, "1": 0, "2": 0, "3": 1},
    }
    assert found["top_n_recall_by_class"] == {"flute": 1, "oboe": 1, "horn": 0.5, "viola": 1}


@given(st.integers(2, 40), st.integers(0, 1000))
def test_tables_tell_the_same_as_the_numbers(n_items, seed):
    scores, truth = part(n_items, seed=seed)
    truth[0, 0] = True
    found, numbers, labels = tables(scores, truth, CLASSES), metrics(scores, truth), truth.sum(1)
    items = {n: int((labels == int(n)).sum()) for n in found["right_of_n"]}
    exact = sum(items[n] * shares[n] for n, shares in found["right_of_n"].items())
    assert exact / sum(items.values()) == pytest.approx(numbers["top_n_exact"], abs=1e-6)
    for n, shares in found["right_of_n"].items():
        assert list(shares) == [str(k) for k in range(int(n) + 1)]
        assert sum(shares.values()) == pytest.approx(1)
    hits = sum(
        found["top_n_recall_by_class"][name] * int(truth[:, i].sum()) for i, name in enumerate(CLASSES)
    )
    assert hits / int(truth.sum()) == pytest.approx(numbers["top_n_recall"], abs=1e-6)
