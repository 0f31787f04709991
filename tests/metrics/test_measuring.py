"""Figures, with what was asked for beside them."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from src.metrics.kinds import KINDS
from src.metrics.measuring import measure

OUTPUTS = torch.tensor([[0.9, 0.2], [0.4, 0.7], [0.6, 0.8], [0.1, 0.3]])
TARGETS = torch.tensor([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=torch.uint8)
NAMES = ("flute", "oboe")


def test_metrics_are_those_of_the_threshold() -> None:
    for threshold in (0.35, 0.65):
        measured = measure(KINDS["multilabel"], OUTPUTS, TARGETS, threshold, NAMES)
        expected = f1_score(TARGETS, threshold < OUTPUTS, average="macro")
        assert measured.metrics["f1_macro"] == pytest.approx(expected, abs=1e-6)
        assert measured.intervals == {}
        assert "loss" not in measured.metrics


def test_loss_and_intervals_are_added_when_they_are_asked_for() -> None:
    measured = measure(KINDS["multilabel"], OUTPUTS, TARGETS, 0.5, NAMES, loss=0.25, groups=np.arange(4))
    assert measured.metrics["loss"] == 0.25
    low, high = measured.intervals["f1_macro"]
    assert low <= measured.metrics["f1_macro"] <= high
