import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from src.errors import UserError
from src.losses.asymmetric import Asymmetric
from src.losses.bce import BCE


def reference(logits, targets, gamma_negative, gamma_positive, clip):
    """The steps of the authors' `AsymmetricLoss`, in float64, with a mean."""
    x, y = logits.double().sigmoid(), targets.double()
    not_x = 1 - x
    if clip > 0:
        not_x = (not_x + clip).clamp(max=1)
    loss = y * x.clamp(min=1e-12).log() + (1 - y) * not_x.clamp(min=1e-12).log()
    p_t = x * y + not_x * (1 - y)
    gamma = gamma_positive * y + gamma_negative * (1 - y)
    return -(loss * (1 - p_t) ** gamma).mean()


@example(0.0, 0.0, 1e-207, 81)
@given(st.floats(0, 5), st.floats(0, 5), st.floats(0, 0.5), st.integers(0, 100))
def test_agrees_with_the_authors_formula(gamma_negative, gamma_positive, clip, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(6, 3, generator=generator)
    targets = torch.randint(2, (6, 3), generator=generator)
    options = gamma_negative, gamma_positive, clip
    expected = reference(logits, targets, *options).item()
    assert Asymmetric(*options)(logits, targets).item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_without_focus_and_clip_it_is_bce():
    logits, targets = torch.randn(20, 5), torch.randint(2, (20, 5))
    assert torch.allclose(Asymmetric(0.0, 0.0, 0.0)(logits, targets), BCE()(logits, targets))


def test_a_zero_scored_below_the_clip_costs_nothing():
    logits = torch.logit(torch.tensor([[0.04]])).requires_grad_()
    loss = Asymmetric(clip=0.05)(logits, torch.zeros(1, 1))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert logits.grad.item() == 0


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 4.0])
def test_extreme_logits_keep_loss_and_gradient_finite(gamma, clip):
    logits = torch.tensor([[200.0, -200.0, 1e4, -1e4]], requires_grad=True)
    loss = Asymmetric(gamma, gamma, clip)(logits, torch.tensor([[0, 1, 1, 0]]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("options", [{"gamma_negative": -1.0}, {"gamma_positive": -1.0}, {"clip": 0.6}])
def test_refuses_values_outside_their_range(options):
    with pytest.raises(UserError, match=f"loss.{next(iter(options))}"):
        Asymmetric(**options)
