import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio.speed import at_speed
from tests.datamodules.notes.tiny_notes import tone


def test_an_octave_up_is_half_as_long_and_twice_as_high():
    rate = 8000
    sound = tone(0, 57, 0.5, rate)  # 220 Hz
    for speed in (2.0, 0.5, 2 ** (1 / 12)):
        played = at_speed(sound, speed)
        assert len(played) == pytest.approx(len(sound) / speed, abs=4)
        spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played)), 2**17))
        assert spectrum.argmax() * rate / 2**17 == pytest.approx(220 * speed, rel=0.01)


@settings(max_examples=60)
@given(st.integers(1, 300), st.floats(0.5, 2.0))
def test_another_speed_agrees_with_numpys_interpolation(length, speed):
    sound = np.random.default_rng(length).normal(size=length).astype(np.float32)
    played = at_speed(sound, speed)
    expected = np.interp(np.arange(len(played)) * speed, np.arange(length), sound)
    np.testing.assert_allclose(played, expected, atol=1e-4)
    assert (len(played) - 1) * speed <= length - 1
