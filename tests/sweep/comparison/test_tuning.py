import itertools

import numpy as np
import pytest

from src.sweep.comparison.tuning import curve_band, tuning_curve

VALIDATION, TEST = [0.7, 0.9, 0.8, 0.6], [0.71, 0.8, 0.85, 0.5]


@pytest.mark.parametrize("higher", [True, False])
def test_the_curve_is_the_mean_over_all_draws(higher):
    curve = tuning_curve(VALIDATION, TEST, higher_is_better=higher)
    choose = max if higher else min
    for n in range(1, 5):
        draws = itertools.product(range(4), repeat=n)
        expected = np.mean([TEST[choose(drawn, key=lambda i: VALIDATION[i])] for drawn in draws])
        assert curve[n - 1] == pytest.approx(expected)


@pytest.mark.parametrize("higher", [True, False])
def test_the_band_is_that_of_curves_of_drawn_configurations(higher):
    rng, curves = np.random.default_rng(5), []
    for chosen in rng.integers(4, size=(1000, 4)):
        drawn = [VALIDATION[i] for i in chosen], [TEST[i] for i in chosen]
        curves.append(tuning_curve(*drawn, higher_is_better=higher))
    band = curve_band(VALIDATION, TEST, higher_is_better=higher, seed=5)
    np.testing.assert_allclose(band, np.quantile(curves, [0.025, 0.975], axis=0))


def test_the_band_surrounds_the_curve():
    low, high = curve_band(VALIDATION, TEST, higher_is_better=True)
    curve = tuning_curve(VALIDATION, TEST, higher_is_better=True)
    assert ((low <= curve) & (curve <= high)).all()
    assert (high - low).max() > 0.05
