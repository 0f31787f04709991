import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.audio.mel import LogMel, frames, log_mel
from src.errors import UserError


def sound(samples: int, sample_rate: int) -> np.ndarray:
    """A chord with noise, the same each time."""
    time = np.arange(samples) / sample_rate
    tones = sum(np.sin(2 * np.pi * pitch * time) / (n + 1) for n, pitch in enumerate((110, 440, 1760, 3500)))
    noise = np.random.default_rng(0).normal(size=samples)
    return (0.2 * tones + 0.01 * noise).astype(np.float32)


PARAMETERS = [
    {},
    {"n_mels": 128, "fmin": 0.0},
    {"sample_rate": 44100, "n_fft": 2048, "win_length": 1323, "hop_length": 441, "n_mels": 128, "fmin": 20.0},
    {"sample_rate": 16000, "n_fft": 1024, "hop_length": 160, "n_mels": 40, "fmin": 50.0, "fmax": 7000.0},
    {"sample_rate": 8000, "n_fft": 512, "win_length": 400, "hop_length": 100, "n_mels": 32, "fmax": 4000.0},
]


@pytest.mark.filterwarnings("ignore:Empty filters", "ignore:n_fft")
@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("samples", [22050, 22051, 300])
def test_power_agrees_with_librosa(parameters, samples):
    mel = LogMel(**parameters)
    waveform = sound(samples, mel.sample_rate)
    options = {"n_fft": 2048, "hop_length": 512, "n_mels": 64, "fmin": 20.0, **parameters}
    rate = options.pop("sample_rate", 22050)
    expected = librosa.feature.melspectrogram(y=waveform, sr=rate, power=2.0, pad_mode="constant", **options)
    power = mel.power(torch.from_numpy(waveform)).numpy()
    assert power.shape == expected.shape == (mel.n_mels, mel.frames(samples))
    assert np.abs(power - expected).max() <= 1e-4 * expected.max()


def test_decibels_agree_with_librosa():
    waveform = sound(22050, 22050)
    power = librosa.feature.melspectrogram(y=waveform, sr=22050, n_mels=64, fmin=20.0)
    tensor = torch.from_numpy(waveform)
    against_maximum = librosa.power_to_db(power, ref=np.max, top_db=80.0)
    np.testing.assert_allclose(LogMel()(tensor).numpy(), against_maximum, atol=0.01)
    absolute = np.maximum(librosa.power_to_db(power, ref=1.0, top_db=None), -60.0)
    np.testing.assert_allclose(LogMel(scaling="db", top_db=60.0)(tensor).numpy(), absolute, atol=0.01)


def test_each_clip_of_a_batch_has_its_own_maximum():
    clips = torch.stack([torch.from_numpy(sound(4000, 22050)), 0.01 * torch.from_numpy(sound(4000, 22050))])
    loud, quiet = LogMel()(clips[:, None])
    assert loud.shape == (1, 64, frames(4000, 512))
    torch.testing.assert_close(loud, quiet, atol=0.01, rtol=0)
    loud, quiet = LogMel(scaling="db")(clips)
    assert (loud.max() - quiet.max()).item() == pytest.approx(40, abs=0.01)


@given(st.floats(1e-6, 10.0), st.sampled_from([20.0, 80.0]))
@settings(max_examples=20)
def test_range_whatever_the_level(level, top_db):
    decibels = LogMel(n_fft=512, top_db=top_db)(level * torch.from_numpy(sound(1500, 22050)))
    assert decibels.max() == 0
    assert decibels.min() >= -top_db


def test_z_norm_is_librosas_decibels_standardised_by_clip_and_channel():
    clip = np.stack([sound(22050, 22050), 0.01 * sound(22050, 22050)[::-1]])
    normed = LogMel(scaling="z_norm", top_db=60.0)(torch.from_numpy(clip)[None])[0].numpy()
    for channel, waveform in zip(normed, clip, strict=True):
        power = librosa.feature.melspectrogram(y=waveform, sr=22050, n_mels=64, fmin=20.0)
        decibels = librosa.power_to_db(power, ref=np.max, top_db=60.0)
        expected = (decibels - decibels.mean()) / decibels.std()
        np.testing.assert_allclose(channel, expected, atol=0.01)


def test_silence_is_finite():
    assert (LogMel()(torch.zeros(3000)) == 0).all()
    assert (LogMel(scaling="z_norm")(torch.zeros(3000)) == 0).all()
    assert (LogMel(scaling="db")(torch.zeros(3000)) == -80).all()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"scaling": "log"}, "db_max or db or z_norm"),
        ({"win_length": 4096}, "1..n_fft"),
        ({"fmax": 12000.0}, "sample_rate/2"),
        ({"fmin": 5000.0, "fmax": 4000.0}, "fmin < fmax"),
        ({"n_mels": 0}, r"n_mels=0: choose a whole number from 1"),
        ({"n_mels": 1025}, r"n_mels=1025: choose a whole number from 1 to 1024\.$"),
        ({"n_fft": 65_537}, r"n_fft=65537: choose a whole number from 1 to 65536\.$"),
        ({"hop_length": 65_537}, r"hop_length=65537: choose a whole number from 1 to 65536\.$"),
        ({"sample_rate": 768_001}, r"sample_rate=768001: choose a whole number from 1 to 768000\.$"),
        ({"top_db": 0.0}, "above 0"),
    ],
)
def test_impossible_parameters_are_refused(parameters, says):
    with pytest.raises(UserError, match=says):
        LogMel(**parameters)


def test_unknown_options_are_refused():
    assert log_mel({"n_mels": 32}).n_mels == 32
    with pytest.raises(UserError, match=r"data\.features\.n_mel: .* Did you mean n_mels"):
        log_mel({"n_mel": 32})
