import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from src.metrics.regression import evaluate_regression

AXES = ("valence", "energy")


@settings(max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0, 1, 6]))
def test_agrees_with_scipy_and_sklearn(seed, decimals):
    rng = np.random.default_rng(seed)
    targets = rng.random((30, 2)).round(decimals or 1)
    predictions = (0.5 * targets + 0.5 * rng.random((30, 2))).round(decimals or 1)
    found = evaluate_regression(torch.from_numpy(predictions), torch.from_numpy(targets), AXES)
    by_axis = {name: spearmanr(predictions[:, axis], targets[:, axis])[0] for axis, name in enumerate(AXES)}
    assert found.pop("spearman_by_axis") == pytest.approx(by_axis, abs=1e-5)
    assert found == pytest.approx(
        {
            "spearman": np.mean(list(by_axis.values())),
            "mse": mean_squared_error(targets, predictions),
            "mae": mean_absolute_error(targets, predictions),
            "r2": r2_score(targets, predictions),
        },
        abs=1e-5,
    )


@pytest.mark.parametrize("constant", ["predictions", "targets"])
def test_a_constant_axis_counts_as_0(constant):
    parts = {"predictions": torch.rand(10001, 2), "targets": torch.rand(10001, 2)}
    parts[constant][:, 0] = 0.3
    found = evaluate_regression(*parts.values(), AXES)
    assert found["spearman_by_axis"]["valence"] == 0
    assert found["spearman"] == found["spearman_by_axis"]["energy"] / 2
    assert json.loads(json.dumps(found)) == found
