import pytest
import torch
from sklearn.metrics import log_loss

from src.errors import UserError
from src.losses.cross_entropy import CrossEntropy


def test_agrees_with_log_loss_of_sklearn():
    logits, targets = torch.randn(50, 4), torch.randint(4, (50,))
    expected = log_loss(targets, logits.double().softmax(1), labels=range(4))
    assert CrossEntropy()(logits, targets.int()).item() == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_spreads_the_truth_evenly():
    logits, targets = torch.randn(9, 4), torch.randint(4, (9,))
    truth = 0.9 * torch.eye(4)[targets] + 0.1 / 4
    expected = -(truth * logits.log_softmax(1)).sum(1).mean()
    assert torch.allclose(CrossEntropy(label_smoothing=0.1)(logits, targets), expected)


def test_refuses_smoothing_outside_its_range():
    with pytest.raises(UserError, match="a share from 0 to 1"):
        CrossEntropy(label_smoothing=1.5)
