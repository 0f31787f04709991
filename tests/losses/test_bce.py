import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from src.errors import UserError
from src.losses.bce import BCE, balanced_pos_weight


def test_agrees_with_log_loss_of_sklearn():
    logits, targets = torch.randn(50, 3), torch.randint(2, (50, 3))
    expected = log_loss(targets.flatten(), logits.double().sigmoid().flatten())
    assert BCE()(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def test_pos_weight_multiplies_the_terms_of_ones_class_by_class():
    logits, targets = torch.zeros(2, 2), torch.tensor([[1, 0], [0, 1]])
    expected = np.log(2) * (3 + 1 + 1 + 5) / 4
    assert BCE([3.0, 5.0])(logits, targets).item() == pytest.approx(expected)


@pytest.mark.parametrize("none", [None, "none"])
def test_no_weight(none):
    logits, targets = torch.randn(4, 2), torch.ones(4, 2)
    assert BCE(none)(logits, targets) == BCE([1.0, 1.0])(logits, targets)


@pytest.mark.parametrize("pos_weight", ["balanced", "heavy", [1.0, -1.0], [float("nan"), 1.0], [1e999]])
def test_refuses_what_is_no_weight(pos_weight):
    with pytest.raises(UserError, match="pos_weight"):
        BCE(pos_weight)


def test_check_refuses_another_number_of_classes():
    BCE().check(7)
    BCE([1.0, 2.0]).check(2)
    with pytest.raises(UserError, match="has 2 numbers, but there are 3 classes"):
        BCE([1.0, 2.0]).check(3)


def test_weights_are_no_part_of_a_checkpoint():
    assert not BCE([1.0, 2.0]).state_dict()


def test_balanced_weight_is_negatives_over_positives():
    targets = torch.tensor([[1, 1, 0, 1], [0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    assert balanced_pos_weight(targets) == [3.0, 1.0, 1.0, 1.0]


@given(st.integers(1, 30), st.integers(1, 30))
def test_balanced_weight_gives_ones_and_zeros_the_same_sum(ones, zeros):
    targets = torch.tensor([[1.0]] * ones + [[0.0]] * zeros)
    loss = BCE(balanced_pos_weight(targets))
    logits = torch.zeros_like(targets, requires_grad=True)
    loss(logits, targets).backward()
    assert logits.grad.sum().item() == pytest.approx(0, abs=1e-6)
