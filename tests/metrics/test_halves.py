import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.metrics.halves import judge_epochs, measure_halves
from src.metrics.item_groups import dealt
from src.metrics.kinds import KINDS
from src.metrics.rolls import Frames

NAMES = ("a", "b", "c")
GENERATOR = torch.Generator().manual_seed(0)


def test_labels_of_each_half_are_measured_as_if_there_were_no_others():
    outputs, targets = torch.rand(40, 3, generator=GENERATOR), torch.rand(40, 3, generator=GENERATOR) > 0.5
    groups = np.arange(40) // 4
    first = dealt(10, 2)[groups] == 0
    thresholds = torch.where(torch.from_numpy(first)[:, None], 0.4, 0.6)
    for metric in ("f1_macro", "average_precision", "top_1"):
        found = measure_halves(KINDS["multilabel"], outputs, targets, thresholds, NAMES, metric, groups)
        for half, inside, threshold in (("half_1", first, 0.4), ("half_2", ~first, 0.6)):
            expected = KINDS["multilabel"].evaluate(outputs[inside], targets[inside], threshold, NAMES)
            assert found[half] == pytest.approx(expected[metric], abs=1e-6)


def test_rolls_are_halved_by_piece():
    now = torch.rand(60, 3, generator=GENERATOR) > 0.5
    piece = torch.arange(60) // 10
    frames = Frames(now, ~now, piece)
    outputs = torch.rand(60, 3, generator=GENERATOR, dtype=torch.float64)
    found = measure_halves(KINDS["rolls"], outputs, frames, 0.5, NAMES, "nll", np.arange(6))
    for number, half in enumerate(("half_1", "half_2")):
        inside = torch.isin(piece, torch.from_numpy(np.flatnonzero(dealt(6, 2) == number)))
        part = Frames(now[inside], ~now[inside], piece[inside])
        expected = KINDS["rolls"].evaluate(outputs[inside], part, 0.5, NAMES)["nll"]
        assert found[half] == pytest.approx(expected)


@pytest.mark.parametrize(("metric", "groups"), [("loss", np.arange(4)), ("f1_macro", np.zeros(4, int))])
def test_what_has_no_halves(metric, groups):
    targets = torch.ones(4, 3)
    assert measure_halves(KINDS["multilabel"], targets, targets, 0.5, NAMES, metric, groups) == {}


def rows(first, second):
    return [{"val/x_half_1": a, "val/x_half_2": b} for a, b in zip(first, second, strict=True)]


def test_each_half_is_judged_at_the_epoch_of_the_other():
    judged = judge_epochs(rows([0.5, 0.9, 0.6], [0.4, 0.5, 0.8]), "val/x", "max")
    assert judged.value == pytest.approx((0.6 + 0.5) / 2)
    assert judged.flattered == pytest.approx((0.9 + 0.8) / 2 - (0.6 + 0.5) / 2)
    assert judge_epochs(rows([0.5, 0.9, 0.6], [0.4, 0.5, 0.8]), "val/x", "min").value == pytest.approx(0.45)


def test_epochs_without_halves_are_not_judged():
    assert judge_epochs([], "val/x", "max") is None
    assert judge_epochs([*rows([0.5], [0.4]), {"val/x_half_1": 0.6}], "val/x", "max") is None


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9),
    st.sampled_from(["min", "max"]),
)
def test_the_choice_never_makes_a_figure_worse(pairs, direction):
    judged = judge_epochs(rows(*zip(*pairs, strict=True)), "val/x", direction)
    assert judged.flattered >= 0
    if len({*pairs}) == 1:
        assert judged.flattered == 0


def test_epochs_that_are_alike_but_for_noise_flatter_as_much_as_the_noise():
    """With equal epochs the best of 20 is above their mean by what the maximum of 20 normal numbers is (1.87)."""
    generator = np.random.default_rng(0)
    draws = generator.standard_normal((400, 2, 20))
    judged = [judge_epochs(rows(*draw), "val/x", "max") for draw in draws]
    assert np.mean([each.value for each in judged]) == pytest.approx(0, abs=0.1)
    assert np.mean([each.flattered for each in judged]) == pytest.approx(1.87, abs=0.1)
