import numpy as np
import pytest

from src.audio.variation import RANGES, random_generators

DRAWS = 2000


@pytest.fixture(scope="module")
def draws() -> list[dict[int, float]]:
    rng = np.random.default_rng(0)
    return [random_generators(rng) for _ in range(DRAWS)]


def test_numbers_differ():
    assert len({each.number for each in RANGES.values()}) == len(RANGES)


def test_only_known_generators_are_drawn(draws):
    assert set().union(*draws) == {each.number for each in RANGES.values()}
    assert {type(value) for draw in draws for value in draw.values()} == {float}


@pytest.mark.parametrize("name", RANGES)
def test_values_fill_their_range(draws, name):
    each = RANGES[name]
    values = [draw[each.number] for draw in draws if each.number in draw]
    width = each.high - each.low
    assert each.low <= min(values) < each.low + 0.05 * width
    assert each.high - 0.05 * width < max(values) <= each.high
    assert np.mean(values) == pytest.approx((each.low + each.high) / 2, abs=0.08 * width)


@pytest.mark.parametrize("name", RANGES)
def test_shares(draws, name):
    """Four standard deviations of the share are at most 0.045."""
    each = RANGES[name]
    assert np.mean([each.number in draw for draw in draws]) == pytest.approx(each.share, abs=0.045)


def test_generators_are_drawn_independently(draws):
    drawn = np.array([[each.number in draw for each in RANGES.values()] for draw in draws], float)
    between = np.corrcoef(drawn.T) - np.eye(len(RANGES))
    assert np.abs(between).max() < 0.1


def test_the_generator_decides():
    assert random_generators(np.random.default_rng(3)) == random_generators(np.random.default_rng(3))
    assert random_generators(np.random.default_rng(3)) != random_generators(np.random.default_rng(4))
