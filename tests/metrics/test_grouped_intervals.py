"""Intervals of items that belong together, held to plain loops over groups."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score, mean_squared_error
from torch import Tensor

from src.metrics.bootstrap import Intervals, intervals
from src.metrics.kinds import KINDS

RESAMPLES = 60
G = 25


def labels(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    targets = (torch.rand(n, 3, generator=generator) < torch.tensor([0.5, 0.3, 0.1])).int()
    return 0.4 * targets + 0.6 * torch.rand(n, 3, generator=generator), targets


def measured(
    kind: str, outputs: Tensor, targets: Tensor, groups: NDArray[np.int64], resamples: int = RESAMPLES
) -> Intervals:
    measures = KINDS[kind].weighted(outputs, targets, 0.4, "abc")
    return intervals(measures, groups, resamples=resamples)


def assert_same(found: Intervals, expected: Intervals) -> None:
    assert found.keys() == expected.keys()
    for name, interval in expected.items():
        assert found[name] == pytest.approx(interval, abs=1e-5), name


@pytest.mark.parametrize("kind", ["multilabel", "multiclass", "regression"])
def test_items_repeated_as_one_group_tell_nothing_more(kind: str) -> None:
    outputs, marks = labels(G)
    targets = {"multilabel": marks, "multiclass": marks.argmax(1), "regression": marks + outputs.roll(1, 0)}
    once = measured(kind, outputs, targets[kind], np.arange(G))
    rows = torch.arange(G).repeat(4)
    again = measured(kind, outputs[rows], targets[kind][rows], np.tile(np.arange(G), 4))
    naive = measured(kind, outputs[rows], targets[kind][rows], np.arange(4 * G))
    if (
        kind == "regression"
    ):  # of the repeated items the ranks differ, and so do, slightly, their correlations
        once, again = ({k: v for k, v in each.items() if "spearman" not in k} for each in (once, again))
    assert_same(again, once)
    name = "mse" if kind == "regression" else "f1_macro"
    assert naive[name][1] - naive[name][0] < 0.7 * (once[name][1] - once[name][0])


def test_groups_of_unequal_size_are_drawn_whole() -> None:
    outputs, targets = labels(60)
    groups = np.random.default_rng(1).integers(0, G, 60)
    first = list(dict.fromkeys(groups.tolist()))
    drawn = np.random.default_rng(0).integers(len(first), size=(RESAMPLES, len(first)))
    values: dict[str, list[float]] = {"f1_macro": [], "mse": []}
    for resample in drawn:
        rows = np.concatenate([np.flatnonzero(groups == first[g]) for g in resample])
        answers, truth = outputs[rows] > 0.4, targets[rows]
        values["f1_macro"].append(f1_score(truth, answers, average="macro", zero_division=0))
        values["mse"].append(mean_squared_error(truth, outputs[rows]))
    for kind, name in (("multilabel", "f1_macro"), ("regression", "mse")):
        expected = np.quantile(values[name], [0.025, 0.975])
        assert measured(kind, outputs, targets, groups)[name] == pytest.approx(expected, abs=1e-5)


def test_the_order_of_items_does_not_matter_to_a_jackknife() -> None:
    outputs, targets = labels(60)
    groups = np.random.default_rng(1).integers(0, G, (60, 2))
    order = np.random.default_rng(2).permutation(60)
    shuffled = measured("multilabel", outputs[order], targets[order], groups[order][:, ::-1])
    assert_same(shuffled, measured("multilabel", outputs, targets, groups))


def test_several_groups_an_item_are_left_out_one_after_another() -> None:
    outputs, targets = labels(60)
    groups = np.random.default_rng(1).integers(-1, G, (60, 3))
    answers = (outputs > 0.4).numpy()
    without = []
    for group in range(G):
        kept = ~(groups == group).any(1)
        without.append(f1_score(targets[kept], answers[kept], average="macro", zero_division=0))
    error = np.sqrt((G - 1) / G * np.square(np.array(without) - np.mean(without)).sum())
    value = f1_score(targets, answers, average="macro", zero_division=0)
    found = measured("multilabel", outputs, targets, groups)
    assert found["f1_macro"] == pytest.approx((value - 1.96 * error, value + 1.96 * error), abs=1e-5)
    assert all(0 <= low <= high <= 1 for low, high in found.values())


def test_one_group_each_in_a_column_is_a_bootstrap() -> None:
    outputs, targets = labels(G)
    groups = np.arange(G)
    assert measured("multilabel", outputs, targets, groups[:, None]) == measured(
        "multilabel", outputs, targets, groups
    )


def test_an_interval_ends_where_the_metric_does() -> None:
    outputs, targets = torch.rand(12, 2), torch.rand(12, 2)
    groups = np.random.default_rng(0).integers(0, 4, (12, 2))
    found = intervals(KINDS["regression"].weighted(outputs, targets, 0.5, "ab"), groups)
    assert found["r2"][0] < -1
    assert -1 <= found["spearman_by_axis/a"][0] <= found["spearman_by_axis/a"][1] <= 1
    assert found["mse"][0] >= 0
    assert found["r2"][1] <= 1


def test_a_group_in_every_item_leaves_no_interval() -> None:
    outputs, targets = labels(10)
    groups = np.stack([np.zeros(10, np.int64), np.ones(10, np.int64)], axis=1)
    assert measured("multilabel", outputs, targets, groups) == {}


def test_a_jackknife_of_single_items_agrees_with_the_standard_error_of_a_mean() -> None:
    """For a mean it is exactly s/√n (Efron and Tibshirani 1993, chapter 11)."""
    values = np.random.default_rng(0).random(40)
    outputs = torch.from_numpy(values)[:, None]
    groups = np.stack([np.arange(40), np.full(40, -1)], axis=1)
    measures = KINDS["regression"].weighted(outputs, torch.zeros(40, 1), 0.5, "a")
    low, high = intervals(measures, groups)["mae"]
    assert (high - low) / 2 == pytest.approx(1.96 * values.std(ddof=1) / np.sqrt(40), rel=1e-6)
