import numpy as np
import pytest

from src.sweep.importance.scales import scale_of
from src.sweep.search.space import Interval


def test_numbers_lie_at_their_place_in_their_order():
    scale = scale_of(["1e-2", "0", "0.001", "1e-3"])
    assert scale.kind == "steps"
    assert scale.positions == {"0": 0, "0.001": 1, "1e-3": 1, "1e-2": 2}
    assert list(scale.places) == [0, 1, 2]


@pytest.mark.parametrize("texts", [["adam", "sgd"], ["0.1", "auto"], ["1", "nan"], ["1", "inf"], ["1", ""]])
def test_other_values_are_choices(texts):
    scale = scale_of(texts)
    assert scale.kind == "choices"
    assert scale.positions == {texts[0]: 0, texts[1]: 1}


def test_an_interval_goes_by_factors_where_the_search_does():
    scale = scale_of(["0.001", "0.01", "0.1"], Interval("lr", 1e-3, 1e-1, log=True))
    assert scale.kind == "interval"
    assert list(scale.positions.values()) == pytest.approx([0, 0.5, 1])
    assert np.diff(scale.places) == pytest.approx(1 / len(scale.places))
    assert scale_of(["1", "5"], Interval("n", 1, 9)).positions["5"] == pytest.approx(0.5)


def test_values_outside_an_interval_are_listed_ones():
    assert scale_of(["0.5", "2"], Interval("x", 0, 1)).kind == "steps"


def test_one_number_typed_twice_does_not_vary():
    assert not scale_of(["0.1", "1e-1"]).varies
    assert scale_of(["0.1", "0.2"]).varies
