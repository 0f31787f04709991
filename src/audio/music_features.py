"""Mel, chroma and beats of a sound, as librosa computes them."""

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

SAMPLE_RATE = 22050
"""Hz, of every sound here."""

N_FFT = 2048
"""Samples of a mel frame, 93 ms."""

HOP_LENGTH = 512
"""Samples from one frame to the next, 23.2 ms."""

N_MELS = 128
"""Mel bands, 0 to 11,025 Hz."""

N_CHROMA = 12
"""Pitch classes from C up."""


def music_features(sound: np.ndarray, *, beat_sync: bool) -> np.ndarray:
    """Give the features of a sound, frame by frame or beat by beat: float32 (140, T).

    Args:
        sound: float (samples,) of finite numbers at 22,050 Hz.
        beat_sync: whether a frame is a beat.
    """
    features = mel_and_chroma(sound)
    return beat_synchronous(features) if beat_sync else features


def mel_and_chroma(sound: np.ndarray) -> np.ndarray:
    """Give the power of 128 mel bands and the strength of 12 pitch classes.

    As `librosa.power_to_db(librosa.feature.melspectrogram(...))` and `librosa.feature.chroma_cqt(...)` with librosa's
    defaults: 0 dB is a power of 1, and nothing lies more than 80 dB below the loudest, or below -100 dB. So loudness is
    kept. Silence has a chroma of 0, any other frame a maximum of 1.

    Args:
        sound: float (samples,) of finite numbers at 22,050 Hz; of any length, what is missing of a frame is silence.

    Returns:
        float32 (140, 1 + samples // 512): mel in dB, then chroma in 0..1.
    """
    import librosa  # half a second, needed only here

    with _hints_silenced():
        power = librosa.feature.melspectrogram(
            y=sound, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS
        )
        chroma = librosa.feature.chroma_cqt(y=sound, sr=SAMPLE_RATE, hop_length=HOP_LENGTH, n_chroma=N_CHROMA)
    return np.concatenate([librosa.power_to_db(power), chroma]).astype(np.float32)


def beat_synchronous(features: np.ndarray) -> np.ndarray:
    """Give the median of the frames between beats.

    The beats are those of `librosa.beat.beat_track(y=sound)` (Ellis 2007), which hears them in the same mel bands, so
    that these needn't be computed twice. The first and the last interval begin and end with the sound. Where no beat is
    found, as in silence, the median of the whole is the only frame.

    Args:
        features: float32 (140, T) of `mel_and_chroma`.

    Returns:
        float32 (140, beats + 1), one fewer where the first frame is a beat.
    """
    import librosa
    from librosa.beat import beat_track
    from librosa.onset import onset_strength

    onsets = onset_strength(S=features[:N_MELS], sr=SAMPLE_RATE, hop_length=HOP_LENGTH, aggregate=np.median)
    _, beats = beat_track(onset_envelope=onsets, sr=SAMPLE_RATE, hop_length=HOP_LENGTH)
    edges = beats if len(beats) else [0]  # of no edge librosa makes no frame
    return np.asarray(librosa.util.sync(features, edges, aggregate=np.median), np.float32)


@contextlib.contextmanager
def _hints_silenced() -> Iterator[None]:
    """Silence what librosa says of sounds that are shorter than its filters, or have no pitch."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large for input signal")
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty frequency set")
        yield
