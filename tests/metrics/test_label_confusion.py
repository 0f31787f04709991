import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.metrics.label_confusion import NOTHING, label_confusion

PAIRS = st.integers(1, 12).flatmap(lambda n: st.tuples(arrays(bool, (n, 3)), arrays(bool, (n, 3))))
CLASSES = ("a", "b", "c")


def by_hand(answered, truth):
    """One item and one class at a time."""
    table = {true: dict.fromkeys((*CLASSES, NOTHING), 0.0) for true in CLASSES}
    for given_, has in zip(answered, truth, strict=True):
        wrong = [name for name, g, h in zip(CLASSES, given_, has, strict=True) if g and not h] or [NOTHING]
        for name, g, h in zip(CLASSES, given_, has, strict=True):
            if h and g:
                table[name][name] += 1
            elif h:
                for other in wrong:
                    table[name][other] += 1 / len(wrong)
    for column, name in enumerate(CLASSES):
        count = max(sum(row[column] for row in truth), 1)
        table[name] = {other: value / count for other, value in table[name].items()}
    return table


@given(PAIRS)
def test_agrees_with_counting(pair):
    answered, truth = pair
    table = label_confusion(torch.tensor(answered), torch.tensor(truth), CLASSES)
    reference = by_hand(answered, truth)
    for name in CLASSES:
        assert table[name] == pytest.approx(reference[name])
        assert sum(table[name].values()) == pytest.approx(float(truth[:, CLASSES.index(name)].any()))


def test_what_took_whose_place():
    truth = torch.tensor([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]]).bool()
    answered = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 1, 1]]).bool()
    table = label_confusion(answered, truth, CLASSES)
    assert table["a"] == {"a": 0.25, "b": 0.125, "c": 0.125 + 0.25, NOTHING: 0.25}
    assert table["b"] == {"a": 0.0, "b": 1.0, "c": 0.0, NOTHING: 0.0}
    assert not np.any(list(table["c"].values()))
