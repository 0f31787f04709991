import pytest

from src.sweep.comparison.levels import CALIBRATED, LEVEL, SEEDS, nominal_level


def test_the_nominal_level_is_below_the_true_one():
    assert all(0.01 < level <= LEVEL for row in CALIBRATED.values() for level in row)


def test_what_was_calibrated_is_taken_and_what_lies_between_is_interpolated():
    for size, row in CALIBRATED.items():
        assert [nominal_level(size, seeds) for seeds in SEEDS] == pytest.approx(row)
    assert min(CALIBRATED[2][0], CALIBRATED[2][1]) <= nominal_level(2, 2.5) <= max(CALIBRATED[2][:2])
    assert nominal_level(1000, 100) == pytest.approx(CALIBRATED[max(CALIBRATED)][-1])
    assert nominal_level(2, 1) == pytest.approx(CALIBRATED[2][0])
