import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.losses.bce import BCE
from src.losses.focal import Focal


def reference(logits, targets, alpha, gamma):
    """`torchvision.ops.sigmoid_focal_loss`'s formula, in float64."""
    logits, targets = logits.double(), targets.double()
    p = torch.sigmoid(logits)
    ce = -(targets * p.log() + (1 - targets) * (1 - p).log())
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = ce * (1 - p_t) ** gamma
    if alpha is not None:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return loss.mean()


@given(st.floats(0, 5), st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 100))
def test_agrees_with_torchvisions_formula(gamma, alpha, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(6, 3, generator=generator)
    targets = torch.randint(2, (6, 3), generator=generator)
    expected = reference(logits, targets, alpha, gamma)
    assert Focal(gamma, alpha)(logits, targets).item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-9)


def test_without_gamma_and_alpha_it_is_bce():
    logits, targets = torch.randn(20, 5), torch.randint(2, (20, 5)).bool()
    assert torch.allclose(Focal(gamma=0.0, alpha=None)(logits, targets), BCE()(logits, targets))


def test_alpha_weighs_ones_and_zeros_apart():
    logits = torch.zeros(1, 1)
    one, zero = (Focal(2.0, 0.25)(logits, torch.full((1, 1), value)) for value in (1, 0))
    assert (zero / one).item() == pytest.approx(3.0)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
def test_extreme_logits_keep_loss_and_gradient_finite(gamma):
    logits = torch.tensor([[200.0, -200.0, 1e4, -1e4]], requires_grad=True)
    loss = Focal(gamma)(logits, torch.tensor([[0, 1, 1, 0]]))
    loss.backward()
    assert loss.item() == pytest.approx((0.75 * 200 + 0.25 * 200) / 4)
    assert logits.grad.isfinite().all()


def test_gradient_agrees_with_finite_differences_of_the_reference():
    logits = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    targets = torch.randint(2, (4, 3))
    (expected,) = torch.autograd.grad(reference(logits, targets, 0.25, 2.0), logits)
    (found,) = torch.autograd.grad(Focal()(logits, targets), logits)
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("options", [{"gamma": -1.0}, {"alpha": 1.5}, {"alpha": -0.1}, {"gamma": 1e999}])
def test_refuses_values_outside_their_range(options):
    with pytest.raises(UserError, match=f"loss.{next(iter(options))}"):
        Focal(**options)
