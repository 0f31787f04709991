import numpy as np
import pytest

from src.sweep.comparison.paired import MEDIAN, PARTS, moments


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_parts_are_a_whole():
    assert PARTS.sum() == pytest.approx(1)


def test_differences_of_means_are_plain_ones_where_all_have_the_same_seeds(rng):
    values = rng.standard_normal((3, 5, 4))
    means = moments(values).means
    assert np.allclose(means - means[:, [0]], values.mean(2) - values.mean(2)[:, [0]])


def test_means_of_unequal_seeds_are_those_of_the_additive_model(rng):
    values = rng.standard_normal((4, 6)) * 1e-4 + rng.standard_normal(6) + np.arange(4.0)[:, None]
    values[2, 3:] = values[3, 2:] = np.nan
    one, seed = np.nonzero(np.isfinite(values))
    design = np.column_stack([np.eye(4)[one], np.eye(6)[seed][:, 1:]])
    fitted = np.linalg.lstsq(design, values[one, seed], rcond=None)[0]
    means = moments(values[None]).means[0]
    assert np.allclose(means - means[0], fitted[:4] - fitted[0], atol=3e-4)


def test_deviations_are_found_whatever_luck_seeds_share(rng):
    deviations = np.where(np.arange(40) < 13, 5.0, 1.0)
    values = rng.standard_normal((1, 40, 300)) * deviations[:, None] + 10 * rng.standard_normal((1, 1, 300))
    tail = (moments(values).variances[0] > np.square(1.35 * deviations)[:, None]) @ PARTS
    assert tail.max() < 0.01
    assert np.allclose(np.sqrt(moments(values).variances[0, :, MEDIAN]), deviations, rtol=0.2)
    below = (moments(values).variances[0] < np.square(0.75 * deviations)[:, None]) @ PARTS
    assert below.max() < 0.01


def test_few_seeds_borrow_from_the_other_configurations(rng):
    values = rng.standard_normal((200, 12, 2))
    found = moments(values).variances
    middle = found[..., MEDIAN]
    alone = values.var(2, ddof=1)
    assert np.log(middle).std() < 0.5 * np.log(alone).std()


def test_seeds_that_agree_tell_no_variance():
    values = np.tile(np.array([0.1, 0.2, 0.3])[:, None], 4)[None] + np.array([0.0, 0.1, 0.3, 0.2])
    assert np.isnan(moments(values).variances).all()
