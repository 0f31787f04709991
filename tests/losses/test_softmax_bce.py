import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import log_loss

from src.errors import UserError
from src.losses.softmax_bce import SoftmaxBCE


def part(n_items, n_classes, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(n_items, n_classes, generator=generator)
    return logits, torch.randint(2, (n_items, n_classes), generator=generator)


def reference(logits, targets):
    """The formula in float64, log(1 − p) from the sum of the other classes."""
    z, t = logits.double(), targets.double()
    q = t / t.sum(1, keepdim=True).clamp(min=1)
    log_sum = z.logsumexp(1, keepdim=True)
    others = [torch.cat([z[:, :c], z[:, c + 1 :]], 1).logsumexp(1) for c in range(z.shape[1])]
    log_not_p = torch.stack(others, 1) - log_sum
    return -(q * (z - log_sum) + (1 - q) * log_not_p).mean()


@given(st.integers(1, 8), st.integers(2, 6), st.floats(0, 60), st.integers(0, 1000))
def test_agrees_with_the_formula_in_float64(n_items, n_classes, scale, seed):
    logits, targets = part(n_items, n_classes, scale, seed)
    expected = reference(logits, targets).item()
    assert SoftmaxBCE()(logits, targets).item() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_agrees_with_log_loss_of_sklearn_for_one_label():
    logits, label = torch.randn(40, 5), torch.randint(5, (40,))
    truth = torch.eye(5)[label]
    probabilities = softmax(logits.double().numpy(), axis=1)
    expected = log_loss(truth.flatten(), probabilities.flatten())
    assert SoftmaxBCE()(logits, truth).item() == pytest.approx(expected, rel=1e-5)


def test_labels_share_the_truth():
    """Two of four labels, all scored alike: p = .25 everywhere, q = .5 for the labels."""
    loss = SoftmaxBCE()(torch.zeros(1, 4), torch.tensor([[1, 1, 0, 0]]))
    expected = -(2 * (0.5 * np.log(0.25) + 0.5 * np.log(0.75)) + 2 * np.log(0.75)) / 4
    assert loss.item() == pytest.approx(expected)


@given(st.integers(2, 6), st.integers(0, 1000))
def test_no_scores_are_better_than_those_of_the_truth(n_labels, seed):
    targets = torch.tensor([[1] * n_labels + [0] * 4])
    best = SoftmaxBCE()(50.0 * targets, targets)
    logits, _ = part(1, n_labels + 4, 2.0, seed)
    q = 1 / n_labels
    entropy = -n_labels * (q * np.log(q) + (1 - q) * np.log(1 - q)) / (n_labels + 4)
    assert best.item() == pytest.approx(entropy, rel=1e-5)
    assert SoftmaxBCE()(logits, targets) >= best


def test_gradient_agrees_with_that_of_the_formula():
    logits, targets = part(6, 5, 3.0, 1)
    logits.requires_grad_()
    (found,) = torch.autograd.grad(SoftmaxBCE()(logits, targets), logits)
    (expected,) = torch.autograd.grad(reference(logits, targets), logits)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("gap", [15.0, 17.0, 90.0, 1e4])
@pytest.mark.parametrize("label", [0, 1])
def test_a_sure_answer_costs_what_it_is_wrong_by(gap, label):
    """A probability that float32 rounds to 1 has no log(1 − p) of its own."""
    logits = torch.tensor([[gap, 0.0, -3.0]], requires_grad=True)
    targets = torch.eye(3)[[label]]
    loss = SoftmaxBCE()(logits, targets)
    (found,) = torch.autograd.grad(loss, logits)
    (expected,) = torch.autograd.grad(reference(logits, targets), logits)
    assert loss.item() == pytest.approx(reference(logits, targets).item(), rel=1e-5, abs=1e-7)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("logits", [[1e4, 1e4, -1e4], [1e30, 0.0, -1e30], [0.0, 0.0, 0.0]])
def test_extreme_logits_keep_loss_and_gradient_finite(logits):
    z = torch.tensor([logits], requires_grad=True)
    loss = SoftmaxBCE()(z, torch.tensor([[0, 1, 1]]))
    loss.backward()
    assert loss.isfinite()
    assert z.grad.isfinite().all()


def test_an_item_without_labels_is_pushed_to_equal_scores():
    targets = torch.zeros(1, 3)
    even = SoftmaxBCE()(torch.zeros(1, 3), targets)
    assert even.item() == pytest.approx(-np.log(2 / 3))
    assert SoftmaxBCE()(torch.tensor([[1.0, 0.0, 0.0]]), targets) > even


def test_outputs_are_the_softmax():
    logits = torch.randn(4, 3, dtype=torch.bfloat16)
    found = SoftmaxBCE().outputs(logits)
    assert found.dtype is torch.float32
    assert found.numpy() == pytest.approx(softmax(logits.float().numpy(), axis=1), abs=1e-6)


def test_check_refuses_a_single_class():
    SoftmaxBCE().check(2)
    with pytest.raises(UserError, match="choose loss=bce"):
        SoftmaxBCE().check(1)
