import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error

from src.errors import UserError
from src.losses.mse import MSE
from src.losses.multitask import Multitask


def test_agrees_with_sklearn():
    predictions, targets = torch.randn(30, 3), torch.randn(30, 3)
    errors = mean_squared_error(targets, predictions, multioutput="raw_values")
    assert Multitask()(predictions, targets).item() == pytest.approx(errors @ [0.4, 0.3, 0.3], rel=1e-5)


@given(st.integers(1, 6), st.integers(0, 1000))
def test_with_equal_weights_it_is_mse(n_axes, seed):
    predictions, targets = torch.randn(2, 7, n_axes, generator=torch.Generator().manual_seed(seed))
    loss = Multitask([1 / n_axes] * n_axes)
    assert loss(predictions, targets).item() == pytest.approx(MSE()(predictions, targets).item(), rel=1e-5)


def test_an_axis_of_weight_0_has_no_gradient():
    predictions = torch.randn(5, 2, requires_grad=True)
    Multitask([0, 1])(predictions, torch.zeros(5, 2)).backward()
    assert predictions.grad[:, 0].eq(0).all()
    torch.testing.assert_close(predictions.grad[:, 1], 2 * predictions[:, 1].detach() / 5)


@pytest.mark.parametrize("weights", [[0.4, -0.1], [float("nan"), 1], [0, 0], []])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(UserError, match=r"loss\.weights"):
        Multitask(weights)


def test_weights_must_fit_the_axes():
    Multitask().check(3)
    with pytest.raises(UserError, match="has 3 numbers, but there are 2 axes"):
        Multitask().check(2)


def test_weights_lie_in_no_checkpoint():
    assert not Multitask().state_dict()
