import pytest
import torch
from sklearn.metrics import mean_squared_error

from src.losses.mse import MSE


def test_agrees_with_sklearn():
    predictions, targets = torch.randn(30, 3), torch.randn(30, 3)
    assert MSE()(predictions, targets).item() == pytest.approx(
        mean_squared_error(targets, predictions), rel=1e-5
    )
