import numpy as np
import pytest

from src.metrics import band_statistics as module
from src.metrics.band_statistics import band_statistics


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(-40, 10, (260, 8, 20)).astype(np.float16)


def test_band_statistics_are_those_of_numpy(features, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    wide = features.astype(np.float64)
    expected = np.concatenate([wide.mean(2), wide.std(2), wide.max(2)], axis=1)
    assert band_statistics(features) == pytest.approx(expected, abs=1e-3)


def test_band_statistics_of_two_channels_and_of_a_mapped_file(features, tmp_path):
    np.save(tmp_path / "x.npy", features)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.array_equal(band_statistics(mapped), band_statistics(features))
    assert np.array_equal(band_statistics(features.reshape(260, 2, 4, 20)), band_statistics(features))
