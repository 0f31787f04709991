import pickle

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.audio.sound_file import SoundFile
from src.datamodules.window_features import WindowMaker, samples_at, window_starts
from tests.datamodules.sounds import noise, write

FEATURES = {"sample_rate": 8000, "n_fft": 256, "hop_length": 100, "n_mels": 12, "fmin": 20.0}


@pytest.mark.parametrize(
    ("samples", "length", "stride", "starts"),
    [
        (300, 100, 100, [0, 100, 200]),
        (349, 100, 100, [0, 100, 200]),  # a rest of less than a half is left out
        (350, 100, 100, [0, 100, 200, 300]),
        (10, 100, 100, [0]),  # unless it is all there is
        (100, 100, 50, [0]),
        (101, 100, 50, [0, 50]),
        (250, 100, 200, [0, 200]),
        (240, 100, 200, [0]),
    ],
)
def test_where_windows_begin(samples, length, stride, starts):
    assert window_starts(samples, length, stride) == starts


@given(st.integers(1, 2000), st.integers(1, 300), st.integers(1, 300))
def test_windows_hold_sound(samples, length, stride):
    starts = window_starts(samples, length, stride)
    assert starts[0] == 0
    assert set(np.diff(starts)) <= {stride}
    assert all(start + length <= samples for start in starts[:-1])
    assert len(starts) == 1 or samples - starts[-1] >= length / 2
    after = starts[-1] + stride
    reached = starts[-1] + length >= samples
    assert reached or samples - after < length / 2


def maker(root, paths, recording, starts, **changes):
    options = {
        "root": root,
        "paths": tuple(paths),
        "targets": np.arange(len(paths)),
        "groups": np.arange(len(paths), dtype=np.uint64),
        "recording": np.array(recording),
        "starts": np.array(starts),
        "length": 4000,
        "channels": 1,
        "features": FEATURES,
    }
    return WindowMaker(**{**options, **changes})


def test_windows_are_the_parts_of_their_files(tmp_path):
    first, second = noise(1.5, 8000, 2, 1), noise(0.3, 8000, 1, 2)
    write(tmp_path / "a b" / "1.wav", first, subtype="FLOAT")
    write(tmp_path / "2.wav", second, subtype="FLOAT")
    make = maker(tmp_path, ["a b/1.wav", "2.wav"], [0, 0, 1], [0, 6000, 0])
    np.testing.assert_allclose(make.waveform(1)[0], first[6000:10000].mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(make.waveform(2)[0], np.r_[second[:, 0], np.zeros(1600, np.float32)])
    item = make(1)
    assert item["features"].shape == (1, 12, 41)
    assert item["features"].dtype == np.float16
    np.testing.assert_array_equal(item["features"], make.log_mel(make.waveform(1)))
    assert (item["targets"], item["pieces"]) == (0, 0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(make))(2)["features"], make(2)["features"])


def test_both_channels_are_kept_and_a_single_one_doubled(tmp_path):
    stereo, mono = noise(0.5, 8000, 2, 1), noise(0.5, 8000, 1, 2)
    write(tmp_path / "1.wav", stereo, subtype="FLOAT")
    write(tmp_path / "2.wav", mono, subtype="FLOAT")
    make = maker(tmp_path, ["1.wav", "2.wav"], [0, 1], [0, 0], channels=2)
    np.testing.assert_array_equal(make.waveform(0), stereo.T)
    np.testing.assert_array_equal(make.waveform(1), np.repeat(mono.T, 2, axis=0))
    assert make(0)["features"].shape == (2, 12, 41)


@pytest.mark.parametrize("rate", [44100, 11025, 16000, 7999])
def test_windows_of_another_rate_are_those_of_the_whole_file_resampled(tmp_path, rate):
    sound = noise(3.0, rate, 1, 3)
    write(tmp_path / "x.wav", sound, rate, subtype="FLOAT")
    whole = librosa.resample(sound[:, 0], orig_sr=rate, target_sr=8000, res_type="soxr_hq")
    assert samples_at(len(sound), rate, 8000) == len(whole)
    make = maker(tmp_path, ["x.wav"], [0, 0, 0], [0, 9001, 21000])
    for index, start in enumerate([0, 9001, 21000]):
        expected = whole[start : start + 4000]
        np.testing.assert_allclose(make.waveform(index)[0][: len(expected)], expected, atol=2e-4)
        assert not make.waveform(index)[0][len(expected) :].any()


def test_a_file_is_opened_once_for_its_windows(tmp_path, monkeypatch):
    write(tmp_path / "x.wav", noise(3.0))
    opened = []
    monkeypatch.setattr(
        "src.datamodules.window_features.SoundFile", lambda path: opened.append(path) or SoundFile(path)
    )
    make = maker(tmp_path, ["x.wav"], [0] * 5, range(0, 20000, 4000))
    for index in range(5):
        make(index)
    assert opened == [tmp_path / "x.wav"]
