import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from src.metrics import baselines
from src.metrics.band_statistics import band_statistics
from src.metrics.baseline_data import BaselineData, Split
from src.metrics.baselines import (
    baselines_multiclass,
    baselines_multilabel,
    baselines_regression,
)

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
    assert set(found) == {"class_prior", "majority", "linear"}
    test = targets[SPLIT[1] :]
    everything = (2 * test.mean(0) / (1 + test.mean(0))).mean()
    assert found["class_prior"]["f1_macro"] == pytest.approx(everything, abs=1e-6)
    assert found["majority"]["f1_by_class"]["piano"] == found["majority"]["f1_by_class"]["violin"] == 0
    share = test[:, 2].mean()
    assert found["majority"]["f1_by_class"]["trumpet"] == pytest.approx(2 * share / (1 + share))
    assert found["linear"]["f1_macro"] > 0.85 > everything
    assert found["linear"]["val_f1_macro"] > 0.85
    assert 0 < found["linear"]["threshold"] < 1


def test_linear_ranks_as_sklearns_one_vs_rest_does(features, targets):
    splits = data(band_statistics(features), targets)
    train_x, train_y, test_x = *splits.train, splits.test.features
    scaler = StandardScaler().fit(train_x)
    model = OneVsRestClassifier(LogisticRegression(max_iter=2000)).fit(scaler.transform(train_x), train_y)
    (found,) = baselines._label_probabilities(scaler.transform(train_x), train_y, [scaler.transform(test_x)])
    assert found == pytest.approx(model.predict_proba(scaler.transform(test_x)), abs=0.01)


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
    monkeypatch.setattr(baselines, "MOST_ITEMS", 60)
    fewer = baselines_multilabel(data(features, targets))["linear"]
    statistics = (
        StandardScaler().fit(band_statistics(features[: SPLIT[0]])).transform(band_statistics(features))
    )
    expected = [
        LogisticRegression(solver="newton-cholesky")
        .fit(statistics[: SPLIT[0] : 3], targets[: SPLIT[0] : 3, label])
        .predict_proba(statistics[SPLIT[1] :])[:, 1]
        for label in range(3)
    ]
    answers = fewer["threshold"] < np.array(expected).T
    assert fewer["subset_accuracy"] == pytest.approx((answers == targets[SPLIT[1] :]).all(1).mean())
    assert fewer != whole
