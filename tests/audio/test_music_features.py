import itertools
import warnings

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio.music_features import (
    HOP_LENGTH,
    N_CHROMA,
    N_MELS,
    SAMPLE_RATE,
    beat_synchronous,
    mel_and_chroma,
    music_features,
)
from src.datamodules.sequences.rows import N_ROWS, ROWS


def clicks(seconds: float, bpm: float = 120, seed: int = 0) -> np.ndarray:
    """Chords struck on each beat over a little noise, float32 (samples,)."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    beat = (time * bpm / 60).astype(int)
    hertz = np.array([261.63, 293.66, 392.0, 440.0])[beat % 4]
    envelope = np.exp(-8 * (time - beat * 60 / bpm))
    noise = 0.002 * np.random.default_rng(seed).standard_normal(len(time))
    return (0.3 * envelope * np.sin(2 * np.pi * hertz * time) + noise).astype(np.float32)


def by_hand(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mel in dB, and chroma, by librosa with the published settings."""
    mel = librosa.feature.melspectrogram(y=sound, sr=22050, n_fft=2048, hop_length=512, n_mels=128)
    return librosa.power_to_db(mel), librosa.feature.chroma_cqt(y=sound, sr=22050, hop_length=512)


def test_rows_are_those_of_a_feature_file():
    assert (ROWS["chroma"].start, N_ROWS) == (N_MELS, N_MELS + N_CHROMA)


def test_features_agree_with_librosa_called_by_hand():
    sound = clicks(6)
    features = mel_and_chroma(sound)
    mel, chroma = by_hand(sound)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[ROWS["mel"]], mel, atol=1e-4)
    np.testing.assert_allclose(features[ROWS["chroma"]], chroma, atol=1e-5)


@pytest.mark.parametrize("bpm", [70, 120, 165])
def test_beats_agree_with_librosa_called_by_hand(bpm):
    sound = clicks(8, bpm)
    _, beats = librosa.beat.beat_track(y=sound, sr=22050, hop_length=512)
    assert len(beats) > 5
    wanted = librosa.util.sync(np.concatenate(by_hand(sound)), beats, aggregate=np.median)
    found = music_features(sound, beat_sync=True)
    assert found.shape == (N_ROWS, len(beats) + 1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_frame_of_beats_is_the_median_of_its_frames():
    features = mel_and_chroma(clicks(5))
    _, beats = librosa.beat.beat_track(y=clicks(5), sr=22050, hop_length=512)
    found = beat_synchronous(features)
    edges = [0, *beats, features.shape[1]]
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        np.testing.assert_array_equal(found[:, number], np.median(features[:, first:last], axis=1))


def test_the_strongest_pitch_class_is_that_of_the_tone():
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    chroma = mel_and_chroma(np.sin(2 * np.pi * 440 * time).astype(np.float32))[ROWS["chroma"]]
    assert (chroma[:, 5:-5].argmax(0) == 9).all()


def test_twice_as_loud_is_6_db_more():
    sound = clicks(3)
    quiet, loud = mel_and_chroma(sound)[:N_MELS], mel_and_chroma(2 * sound)[:N_MELS]
    np.testing.assert_allclose(loud - quiet, 20 * np.log10(2), atol=1e-3)


def test_silence_has_no_beat_and_no_chroma():
    features = mel_and_chroma(np.zeros(2 * SAMPLE_RATE, np.float32))
    np.testing.assert_allclose(features[:N_MELS], -100, atol=1e-3)
    assert (features[N_MELS:] == 0).all()
    np.testing.assert_array_equal(beat_synchronous(features), features[:, :1])


@settings(max_examples=10)
@given(samples=st.integers(0, 6000), seed=st.integers(0, 99), beat_sync=st.booleans())
def test_a_sound_of_any_length_has_finite_features(samples, seed, beat_sync):
    sound = (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        features = music_features(sound, beat_sync=beat_sync)
    assert features.dtype == np.float32
    assert features.shape[0] == N_ROWS
    assert 1 <= features.shape[1] <= 1 + samples // HOP_LENGTH
    assert beat_sync or features.shape[1] == 1 + samples // HOP_LENGTH
    assert np.isfinite(features).all()
    assert ((features[N_MELS:] >= 0) & (features[N_MELS:] <= 1)).all()
