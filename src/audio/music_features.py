"""Mel bands, chroma and beats of a sound, computed by librosa."""

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

from src.audio.compiled import import_librosa

SAMPLE_RATE = 22050
"""Hz, of all sounds in this module."""

N_FFT = 2048
"""Samples of a mel frame, 93 ms."""

HOP_LENGTH = 512
"""Samples from one frame to the next, 23.2 ms."""

N_MELS = 128
"""Mel bands, 0 to 11,025 Hz."""

N_CHROMA = 12
"""Pitch classes from C up."""


def music_features(sound: np.ndarray, *, beat_sync: bool) -> np.ndarray:
    """Return the features of a sound, frame by frame or beat by beat: float32 (140, T).

    Args:
        sound: float (samples,) of finite numbers at 22,050 Hz.
        beat_sync: whether frames are averaged (by median) between beats.
    """
    features = mel_and_chroma(sound)
    return beat_synchronous(features) if beat_sync else features


def mel_and_chroma(sound: np.ndarray) -> np.ndarray:
    """Return the power of 128 mel bands and the strength of 12 pitch classes.

    These are `librosa.power_to_db(librosa.feature.melspectrogram(...))` and `librosa.feature.chroma_cqt(...)` with
    librosa's defaults. 0 dB is a power of 1, so loudness is kept; values are at least -100 dB and at most 80 dB below
    the loudest. The chroma of a frame has a maximum of 1, that of silence is 0.

    Args:
        sound: float (samples,) of finite numbers at 22,050 Hz, of any length; frames are padded with silence.

    Returns:
        float32 (140, 1 + samples // 512): mel in dB, then chroma in 0..1.
    """
    librosa = import_librosa()  # half a second, needed only here
    with _hints_silenced():
        power = librosa.feature.melspectrogram(
            y=sound, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS
        )
        chroma = librosa.feature.chroma_cqt(y=sound, sr=SAMPLE_RATE, hop_length=HOP_LENGTH, n_chroma=N_CHROMA)
    return np.concatenate([librosa.power_to_db(power), chroma]).astype(np.float32)


def beat_synchronous(features: np.ndarray) -> np.ndarray:
    """Return the median of the frames between beats.

    The beats are those of `librosa.beat.beat_track(y=sound)` (Ellis 2007), which uses the same mel bands; they are not
    computed twice. The first interval begins and the last one ends with the sound. Where no beat is found, as in
    silence, the only frame is the median of all.

    Args:
        features: float32 (140, T) of `mel_and_chroma`.

    Returns:
        float32 (140, beats + 1), or (140, beats) where the first frame is a beat.
    """
    librosa = import_librosa(beats=True)
    onsets = librosa.onset.onset_strength(
        S=features[:N_MELS], sr=SAMPLE_RATE, hop_length=HOP_LENGTH, aggregate=np.median
    )
    _, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=HOP_LENGTH)
    edges = beats if len(beats) else [0]  # without an edge librosa returns no frame
    return np.asarray(librosa.util.sync(features, edges, aggregate=np.median), np.float32)


@contextlib.contextmanager
def _hints_silenced() -> Iterator[None]:
    """Silence librosa's warnings about sounds that are shorter than its filters or have no pitch."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large for input signal")
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty frequency set")
        yield
