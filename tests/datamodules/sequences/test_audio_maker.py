import pickle

import librosa
import numpy as np
import pytest

from src.audio.files import CANCELS
from src.audio.music_features import SAMPLE_RATE, mel_and_chroma
from src.datamodules.sequences.audio_maker import AudioClips, frames_of_clip
from src.datamodules.sequences.rows import MAX_FRAMES, N_ROWS
from tests.datamodules.sounds import cut_off, noise, tone, write

SECONDS = 1.0


def clips(root, *paths, seconds=SECONDS, beat_sync=False, max_frames=200):
    return AudioClips(root=root, paths=paths, seconds=seconds, beat_sync=beat_sync, max_frames=max_frames)


def test_a_clip_is_the_middle_of_a_file(tmp_path):
    sound = noise(3.0, SAMPLE_RATE)[:, 0]
    write(tmp_path / "a.flac", sound, SAMPLE_RATE, subtype="PCM_24")
    middle = sound[SAMPLE_RATE : 2 * SAMPLE_RATE]
    make = clips(tmp_path, "a.flac")
    np.testing.assert_allclose(make.sound(0), middle, atol=1e-6)
    made = make(0)
    assert made["frames"] == 1 + SAMPLE_RATE // 512
    kept = made["features"][:, : made["frames"]]
    np.testing.assert_allclose(kept, mel_and_chroma(middle), atol=0.05)
    assert (made["features"][:, made["frames"] :] == 0).all()


def test_a_shorter_file_is_taken_whole(tmp_path):
    write(tmp_path / "a.wav", tone(440, 0.5, SAMPLE_RATE), SAMPLE_RATE)
    assert len(clips(tmp_path, "a.wav").sound(0)) == SAMPLE_RATE // 2


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_other_rates_and_stereo_are_resampled_and_mixed(tmp_path, suffix):
    stereo = tone(440, 2.0, 44100, 2)
    write(tmp_path / f"a.{suffix}", stereo, 44100)
    found = clips(tmp_path, f"a.{suffix}", seconds=30).sound(0)
    wanted = librosa.resample(stereo.mean(1), orig_sr=44100, target_sr=SAMPLE_RATE, res_type="soxr_hq")
    assert abs(len(found) - len(wanted)) < 0.1 * SAMPLE_RATE
    spectra = [np.abs(np.fft.rfft(sound[4000:36000])) for sound in (found, wanted)]
    assert spectra[0].argmax() == spectra[1].argmax()
    np.testing.assert_allclose(spectra[0].max(), spectra[1].max(), rtol=0.02)


def broken_files(root):
    write(root / "whole.wav", noise(1.0))
    write(root / "cut.wav", noise(1.0))
    cut_off(root / "cut.wav")
    (root / "text.mp3").write_text("no sound")
    (root / "nothing.ogg").write_bytes(b"")
    write(root / "empty.wav", noise(0.0))
    write(root / "silent.wav", 0 * noise(1.0))
    write(root / "nan.wav", np.full((8000, 1), np.nan, np.float32), subtype="FLOAT")
    write(root / "cancels.wav", noise(1.0) * np.array([[1, -1]], np.float32))
    write(root / "huge.wav", 1e30 * noise(1.0), subtype="FLOAT")
    return {
        "whole.wav": "",
        "cut.wav": "is cut off: it is shorter than its header says",
        "text.mp3": "cannot be read as a sound file",
        "nothing.ogg": "is empty",
        "empty.wav": "is empty",
        "silent.wav": "is silent",
        "nan.wav": "contains NaN or infinite samples",
        "cancels.wav": CANCELS,
        "huge.wav": "has samples of more than a million times full scale",
        "gone.wav": "cannot be read as a sound file",
    }


def test_what_cannot_be_used_has_a_reason_and_no_frame(tmp_path):
    reasons = broken_files(tmp_path)
    make = clips(tmp_path, *reasons)
    for number, (path, reason) in enumerate(reasons.items()):
        assert (path, make.problem(number)) == (path, reason)
        assert (make(number)["frames"] > 0) == (not reason)


def test_the_same_file_gives_the_same_bits(tmp_path):
    write(tmp_path / "a.ogg", noise(2.0, 16000), 16000)
    make = clips(tmp_path, "a.ogg", beat_sync=True)
    first, again = make(0), pickle.loads(pickle.dumps(make))(0)
    assert first["digest"] == again["digest"]
    np.testing.assert_array_equal(first["features"], again["features"])


def test_frames_of_a_published_clip_fit():
    assert frames_of_clip(30.0, beat_sync=True) == MAX_FRAMES[True]
    assert frames_of_clip(30.0, beat_sync=False) == mel_and_chroma(np.zeros(30 * SAMPLE_RATE)).shape[1]
    assert frames_of_clip(0.01, beat_sync=True) == 1


def test_more_frames_than_are_kept_are_cut(tmp_path):
    write(tmp_path / "a.wav", noise(1.0))
    made = clips(tmp_path, "a.wav", max_frames=5)(0)
    assert (made["frames"], made["features"].shape) == (5, (N_ROWS, 5))
