import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.losses.uncertainty import Uncertainty, variances_of


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=5), st.integers(0, 1000))
def test_is_torchs_gaussian_likelihood_summed_over_axes(variances, seed):
    predictions, targets = torch.randn(2, 9, len(variances), generator=torch.Generator().manual_seed(seed))
    each = F.gaussian_nll_loss(
        predictions, targets, torch.tensor(variances).expand_as(targets), reduction="none"
    )
    found = Uncertainty(variances)(predictions, targets)
    torch.testing.assert_close(found, each.sum(1).mean(), rtol=1e-4, atol=1e-4)


def test_the_best_variance_is_the_mean_squared_error():
    predictions, targets = torch.randn(50, 3) * torch.tensor([0.1, 1.0, 3.0]), torch.zeros(50, 3)
    loss = Uncertainty()
    loss.prepare(3)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss(predictions, targets).backward()
        optimizer.step()
    torch.testing.assert_close(
        loss.log_variances.detach(), predictions.square().mean(0).log(), atol=1e-2, rtol=0
    )


def test_a_noisy_axis_gets_a_smaller_gradient():
    predictions = torch.ones(4, 2, requires_grad=True)
    Uncertainty([0.5, 2.0])(predictions, torch.zeros(4, 2)).backward()
    torch.testing.assert_close(predictions.grad[0], torch.tensor([1 / 0.5, 1 / 2.0]) / 4)


def test_it_begins_with_given_variances_or_with_1():
    loss = Uncertainty([0.1, 10.0])
    loss.prepare(2)
    assert loss.learned(("valence", "energy")) == pytest.approx(
        {"log_variance_valence": np.log(0.1), "log_variance_energy": np.log(10)}
    )
    fresh = Uncertainty()
    fresh.prepare(3)
    assert fresh.log_variances.tolist() == [0, 0, 0]


def test_variances_are_those_of_the_axes():
    targets = torch.rand(40, 3) * torch.tensor([1.0, 0.1, 0.0]) + 0.5
    expected = np.var(targets.double().numpy(), axis=0)
    assert variances_of(targets) == pytest.approx([expected[0], expected[1], 1.0])


@pytest.mark.parametrize("variances", [[0.0], [-1.0, 1.0], [float("nan")]])
def test_impossible_variances_are_refused(variances):
    with pytest.raises(UserError, match=r"loss\.variances"):
        Uncertainty(variances)


def test_variances_must_fit_the_axes():
    Uncertainty([1.0, 2.0]).check(2)
    with pytest.raises(UserError, match="has 2 numbers, but there are 3 axes"):
        Uncertainty([1.0, 2.0]).check(3)
