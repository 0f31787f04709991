import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from src.metrics import baselines, fitted_baselines
from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.baselines import (
    baselines_multiclass,
    baselines_multilabel,
    baselines_regression,
)
from src.metrics.fitted_baselines import STRENGTHS
from src.metrics.threshold import tune_threshold
from src.paths import ROOT

CLASSES = ("piano", "violin", "trumpet")
SPLIT = (160, 200)


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(-40, 10, (260, 8, 20)).astype(np.float16)


@pytest.fixture
def targets(features):
    """A label where its band is louder than usual, a little noisy; the third is on most items."""
    rng = np.random.default_rng(1)
    level = features[:, :3].astype(np.float32).mean(2) + rng.normal(0, 0.5, (260, 3))
    return (level > np.quantile(level, [0.7, 0.6, 0.3], axis=0).diagonal()).astype(np.int8)


def data(features, targets, names=CLASSES):
    pairs = zip(np.split(features, SPLIT), np.split(targets, SPLIT), strict=True)
    return BaselineData(*(Split(*pair) for pair in pairs), names)


@pytest.mark.filterwarnings("error")
def test_label_baselines(features, targets):
    found = baselines_multilabel(data(features, targets))
    assert set(found) == {"class_prior", "majority", "linear", "boosting"}
    test = targets[SPLIT[1] :]
    everything = (2 * test.mean(0) / (1 + test.mean(0))).mean()
    assert found["class_prior"]["f1_macro"] == pytest.approx(everything, abs=1e-6)
    assert found["majority"]["f1_by_class"]["piano"] == found["majority"]["f1_by_class"]["violin"] == 0
    share = test[:, 2].mean()
    assert found["majority"]["f1_by_class"]["trumpet"] == pytest.approx(2 * share / (1 + share))
    assert found["linear"]["f1_macro"] > 0.85 > everything
    assert found["linear"]["val_f1_macro"] > 0.85
    assert found["boosting"]["f1_macro"] > everything
    assert 0 < found["linear"]["threshold"] < 1


def test_statistics_may_be_given(features, targets):
    statistics = band_statistics(features)
    given = baselines_multilabel(data(statistics, targets))
    assert given == baselines_multilabel(data(features, targets))


@pytest.mark.filterwarnings("error")
def test_labels_that_never_or_always_occur_in_training(features, targets):
    targets[: SPLIT[0], 0], targets[: SPLIT[0], 1] = 0, 1
    found = baselines_multilabel(data(features, targets))
    assert found["linear"]["f1_by_class"]["piano"] == 0
    assert found["linear"]["f1_by_class"]["trumpet"] > 0.8


def test_the_test_part_changes_no_threshold(features, targets):
    before = baselines_multilabel(data(features, targets))
    targets[SPLIT[1] :] = 1 - targets[SPLIT[1] :]
    after = baselines_multilabel(data(features, targets))
    for name in before:
        assert before[name]["threshold"] == after[name]["threshold"]
        assert before[name]["val_f1_macro"] == after[name]["val_f1_macro"]
        assert before[name]["f1_macro"] != after[name]["f1_macro"]


@pytest.mark.filterwarnings("error")
def test_class_baselines(features):
    level = features[:, :3].astype(np.float32).mean(2) + np.array([0, 0, 2])
    targets = level.argmax(1)
    found = baselines_multiclass(data(features, targets, (*CLASSES, "never")))
    test = targets[SPLIT[1] :]
    assert found["majority"]["accuracy"] == pytest.approx((test == 2).mean())
    assert found["linear"]["accuracy"] > found["majority"]["accuracy"] + 0.2
    assert 0 < found["class_prior"]["accuracy"] < 1
    assert found["class_prior"]["f1_macro"] != found["majority"]["f1_macro"]
    assert found["linear"]["f1_by_class"]["never"] == 0
    assert found == baselines_multiclass(data(features, targets, (*CLASSES, "never")))


@pytest.mark.parametrize("axes", [1, 2])
def test_number_baselines(features, axes):
    targets = features[:, :axes].astype(np.float32).mean(2)
    found = baselines_regression(data(features, targets, CLASSES[:axes]))
    test = targets[SPLIT[1] :]
    assert found["mean"]["spearman"] == 0
    assert found["mean"]["mse"] == pytest.approx(((test - targets[: SPLIT[0]].mean(0)) ** 2).mean(), rel=1e-4)
    assert found["linear"]["spearman"] > 0.95
    assert found["linear"]["val_spearman"] > 0.95
    assert spearmanr(test[:, 0], test[:, 0])[0] >= found["linear"]["spearman_by_axis"]["piano"]


def test_of_many_training_items_every_nth_is_fitted(features, targets, monkeypatch):
    whole = baselines_multilabel(data(features, targets))["linear"]
    monkeypatch.setattr(fitted_baselines, "MOST_ITEMS", 60)
    fewer = baselines_multilabel(data(features, targets))["linear"]
    kept = [*range(0, SPLIT[0], 3), *range(SPLIT[0], len(features))]
    assert len(kept) == 54 + 100
    pairs = zip(np.split(features[kept], (54, 94)), np.split(targets[kept], (54, 94)), strict=True)
    monkeypatch.setattr(fitted_baselines, "MOST_ITEMS", 1000)
    expected = baselines_multilabel(BaselineData(*(Split(*pair) for pair in pairs), CLASSES))["linear"]
    assert fewer["val_average_precision"] == pytest.approx(expected["val_average_precision"], abs=0.02)
    assert fewer != whole


def test_the_strength_is_the_one_that_validation_prefers(features, targets):
    splits = data(band_statistics(features), targets)
    scaled = StandardScaler().fit(splits.train.features)
    train, val, test = (scaled.transform(split.features) for split in (splits.train, splits.val, splits.test))
    values, answers = [], []
    for strength in STRENGTHS:
        model = OneVsRestClassifier(LogisticRegression(C=strength, max_iter=2000)).fit(
            train, splits.train.targets
        )
        scores = [torch.from_numpy(model.predict_proba(of)) for of in (val, test)]
        truth = torch.from_numpy(splits.val.targets)
        values.append(f1_score(truth, scores[0] > tune_threshold(scores[0], truth), average="macro"))
        answers.append(average_precision_score(splits.test.targets, scores[1]))
    found = baselines_multilabel(splits)["linear"]
    assert found["val_f1_macro"] == pytest.approx(max(values), abs=0.01)
    assert len({round(value, 3) for value in values}) > 1, "all strengths are alike here"
    assert found["average_precision"] in [pytest.approx(value, abs=0.002) for value in answers]


def test_boosting_finds_what_no_line_divides():
    features = np.random.default_rng(3).normal(size=(900, 6)).astype(np.float32)
    targets = (features[:, :2] * features[:, 2:4] > 0).astype(np.int8)
    splits = np.split(features, (600, 750)), np.split(targets, (600, 750))
    pairs = [Split(*pair) for pair in zip(*splits, strict=True)]
    labels = baselines_multilabel(BaselineData(*pairs, ("same signs", "likewise")))
    numbers = baselines_regression(BaselineData(*pairs, ("same signs", "likewise")))
    assert labels["boosting"]["average_precision"] > 0.9 > labels["linear"]["average_precision"] + 0.2
    assert numbers["boosting"]["spearman"] > 0.7 > numbers["linear"]["spearman"] + 0.3


def test_with_many_classes_there_is_no_boosting(features, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_BOOSTED", 2)
    targets = features[:, :3].astype(np.float32).mean(2).argmax(1)
    assert set(baselines_multiclass(data(features, targets))) == {"class_prior", "majority", "linear"}


SCRIPT = """
import numpy as np
from threadpoolctl import threadpool_limits
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.baselines import baselines_multilabel
rng = np.random.default_rng(0)
features = rng.normal(size=(6000, 60)).astype(np.float32)
targets = (features[:, :2] + rng.normal(size=(6000, 2)) > 0.5).astype(np.int8)
parts = zip(np.split(features, (5000, 5500)), np.split(targets, (5000, 5500)))
with threadpool_limits(1):
    print(baselines_multilabel(BaselineData(*(Split(*part) for part in parts), ("a", "b"))))
"""


def test_figures_do_not_depend_on_the_number_of_threads():
    printed = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(printed) == 1
