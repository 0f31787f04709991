"""A metric or a baseline that is added is measured wherever the kind's own are."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import hamming_loss
from torch import Tensor

from src.configuration.checks import freeze
from src.errors import UserError
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.baselines import baselines_multilabel
from src.metrics.further import BASELINES, METRICS, baseline, metric
from src.metrics.kinds import KINDS, direction, further_baselines, objectives
from src.metrics.rolls import frames_of

NAMES = ("flute", "oboe", "horn")
RNG = np.random.default_rng(0)
OUTPUTS = torch.from_numpy(RNG.random((40, 3)))
LABELS = RNG.random((40, 3)) < 0.5
ROLL = Split(RNG.random((30, 3)) < 0.5, np.array([20, 10]))


@pytest.fixture(autouse=True)
def added() -> Iterator[None]:
    """A metric of every kind, and a baseline; they are taken out again."""

    @metric("multilabel", "rolls", best="min")
    def wrong_share(outputs: Tensor, targets: Any, threshold: Any) -> float:
        truth = getattr(targets, "now", targets)
        return float(((outputs > threshold) != truth.bool()).double().mean())

    @metric("multiclass", "regression")
    def first_column(outputs: Tensor, targets: Tensor, threshold: Any) -> float:
        return float(outputs[:, 0].mean())

    @baseline("multilabel")
    def half(data: BaselineData) -> tuple[Tensor, Tensor]:
        assert tuple(data.names) == NAMES
        return torch.full(data.val.targets.shape, 0.5), torch.full(data.test.targets.shape, 0.5)

    @baseline("rolls")
    def density(data: BaselineData) -> tuple[Tensor, Tensor]:
        share = float(data.train.features.mean())
        scored = [len(split.features) - len(split.targets) for split in (data.val, data.test)]
        return torch.full((scored[0], 3), share), torch.full((scored[1], 3), share)

    yield
    for registry in (METRICS, BASELINES):
        for named in registry.values():
            for name in ("wrong_share", "first_column", "half", "density"):
                named.pop(name, None)  # type: ignore[attr-defined]


@pytest.mark.parametrize("threshold", [0.3, 0.6])
def test_labels_are_scored_at_the_threshold(threshold: float) -> None:
    metrics = KINDS["multilabel"].evaluate(OUTPUTS, torch.from_numpy(LABELS), threshold, NAMES)
    assert metrics["wrong_share"] == pytest.approx(hamming_loss(LABELS, threshold < OUTPUTS))


def test_other_kinds_are_scored() -> None:
    classes = KINDS["multiclass"].evaluate(OUTPUTS, torch.from_numpy(LABELS.argmax(1)), 0.5, NAMES)
    numbers = KINDS["regression"].evaluate(OUTPUTS, OUTPUTS.flip(0), 0.5, NAMES)
    assert classes["first_column"] == numbers["first_column"] == pytest.approx(float(OUTPUTS[:, 0].mean()))
    frames = frames_of(*ROLL)
    probabilities = OUTPUTS[: len(frames.now)]
    rolls = KINDS["rolls"].evaluate(probabilities, frames, 0.4, NAMES)
    assert rolls["wrong_share"] == pytest.approx(
        hamming_loss(frames.now.numpy(), (probabilities > 0.4).numpy())
    )


def test_baselines_of_the_kind_are_scored_too() -> None:
    split = Split(RNG.random((40, 6)), LABELS.astype(np.uint8))
    measured = baselines_multilabel(BaselineData(split, split, split, NAMES))
    for values in measured.values():
        assert 0 <= values["wrong_share"] <= 1
        assert values["val_wrong_share"] == values["wrong_share"]


def test_a_trial_can_be_judged_by_it(composed: Callable[..., dict[str, Any]]) -> None:
    assert "wrong_share" in objectives("multilabel")
    assert direction("wrong_share") == "min"
    assert direction("first_column") == "max"
    frozen = freeze(composed("objective=wrong_share"))
    assert frozen["callbacks"]["best"]["mode"] == "min"
    with pytest.raises(UserError, match="first_column is not measured on multilabel"):
        freeze(composed("objective=first_column"))


def test_a_baseline_is_tuned_on_validation_and_tested() -> None:
    val, test = (Split(RNG.random((40, 6)), labels.astype(np.uint8)) for labels in (LABELS, ~LABELS))
    [(name, values)] = further_baselines("multilabel", BaselineData(val, val, test, NAMES)).items()
    assert name == "half"
    truth = torch.from_numpy(val.targets)
    assert values["threshold"] == KINDS["multilabel"].tune(torch.full((40, 3), 0.5), truth, NAMES)
    everything = values["threshold"] < 0.5
    assert values["recall_micro"] == float(everything)
    assert values["val_recall_micro"] == float(everything)
    assert values["wrong_share"] == pytest.approx(
        float(test.targets.mean() if not everything else LABELS.mean())
    )


def test_a_baseline_of_rolls_answers_the_scored_columns() -> None:
    [(name, values)] = further_baselines("rolls", BaselineData(ROLL, ROLL, ROLL, NAMES)).items()
    assert name == "density"
    p, truth = float(ROLL.features.mean()), frames_of(*ROLL).now.double().mean().item()
    nll = -3 * (truth * np.log(p) + (1 - truth) * np.log(1 - p))
    assert values["nll"] == values["val_nll"] == pytest.approx(nll, abs=1e-6)
