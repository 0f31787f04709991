"""Log-mel spectrograms that agree with librosa."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Annotated, Any

import torch
import torchaudio
from torch import Tensor, nn

from src.errors import UserError
from src.options import checks
from src.rules import null, number, one_of, whole
from src.words import did_you_mean

SCALINGS = ("db_max", "db", "z_norm")
Samples = Annotated[int, whole(1, 2**16)]
MOST_MELS = 1024
_POWER_FLOOR = 1e-10  # librosa.power_to_db's amin


def frames(samples: int, hop_length: int) -> int:
    """Return the number of frames of a centred transform of `samples` samples."""
    return 1 + samples // hop_length


class LogMel(nn.Module):
    """Log-mel spectrogram in dB: Hann window, centred frames, zero padding, Slaney's mel scale and normalisation.

    Its power agrees with `librosa.feature.melspectrogram` to 1e-4 of its maximum. Bands narrower than the
    frequency resolution (many mels, small n_fft) stay empty in both.

    Args:
        sample_rate: in Hz.
        n_fft: length of the transform, samples, at most 65,536.
        win_length: length of the window, samples, at most n_fft; `None` means n_fft.
        hop_length: step between frames, samples, at most 65,536.
        n_mels: number of mel bands, at most 1,024.
        fmin: lowest edge of the bands, Hz.
        fmax: highest edge, Hz, at most sample_rate / 2; `None` means that.
        scaling: `db_max`: dB relative to the greatest power of each clip (0 at most, independent of loudness);
            `db`: dB relative to a power of 1 (a mel power of 1 is 0 dB, louder ones are above); `z_norm`:
            `db_max` with mean 0 and standard deviation 1 in each clip and channel.
        top_db: values below -top_db dB are raised to it (in `z_norm` before normalisation).

    Raises:
        UserError: an option lies outside its range.
    """

    @checks("data.features")
    def __init__(
        self,
        *,
        sample_rate: Annotated[int, whole(1, 768_000)] = 22050,
        n_fft: Samples = 2048,
        win_length: Annotated[int | None, whole(1) | null("for n_fft")] = None,
        hop_length: Samples = 512,
        n_mels: Annotated[int, whole(1, MOST_MELS)] = 64,
        fmin: Annotated[float, number(0)] = 20.0,
        fmax: Annotated[float | None, number(0) | null("for half the sample rate")] = None,
        scaling: Annotated[str, one_of(*SCALINGS)] = "db_max",
        top_db: Annotated[float, number(0, above=True)] = 80.0,
    ) -> None:
        super().__init__()
        window = n_fft if win_length is None else win_length
        highest = sample_rate / 2 if fmax is None else fmax
        _check(sample_rate, n_fft, window, fmin, highest)
        self.sample_rate, self.n_mels, self.hop_length = sample_rate, n_mels, hop_length
        self.scaling, self.top_db = scaling, top_db
        self.spectrogram = torchaudio.transforms.Spectrogram(
            n_fft=n_fft, win_length=window, hop_length=hop_length, power=None, pad_mode="constant"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about empty bands
            self.mel_scale = torchaudio.transforms.MelScale(
                n_mels, sample_rate, fmin, highest, n_fft // 2 + 1, norm="slaney", mel_scale="slaney"
            )

    def frames(self, samples: int) -> int:
        """Return the number of frames of `samples` samples."""
        return frames(samples, self.hop_length)

    def power(self, waveform: Tensor) -> Tensor:
        """Return the mel power spectrogram.

        Args:
            waveform: float32 (..., samples), about -1..1.

        Returns:
            float32 (..., n_mels, frames), >= 0.
        """
        spectrum = self.spectrogram(waveform)
        # Twice as fast as abs().square().
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
        mel: Tensor = self.mel_scale(power)
        return mel

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram.

        Args:
            waveform: float32 (..., samples), about -1..1.

        Returns:
            float32 (..., n_mels, frames), dB; in `db_max` -top_db..0. In `db_max` and `z_norm` a silent clip is 0
            everywhere.
        """
        decibels = 10.0 * self.power(waveform).clamp(min=_POWER_FLOOR).log10()
        if self.scaling == "db":
            return decibels.clamp(min=-self.top_db)
        decibels = (decibels - decibels.amax(dim=(-2, -1), keepdim=True)).clamp(min=-self.top_db)
        return decibels if self.scaling == "db_max" else _standardised(decibels)


def log_mel(features: Mapping[str, Any]) -> LogMel:
    """Build a spectrogram from the options of `data.features`.

    Raises:
        UserError: an option is unknown or lies outside its range.
    """
    known = inspect.signature(LogMel).parameters
    for name in features:
        if name not in known:
            raise UserError(f"data.features.{name}: there is no such option.{did_you_mean(name, known)}")
    try:
        return LogMel(**features)
    except TypeError as error:
        complaint = str(error).removeprefix("LogMel.__init__() ")
        raise UserError(f"data.features: {complaint}; src/audio/mel.py lists the options") from error


def _standardised(decibels: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(decibels, dim=(-2, -1), correction=0, keepdim=True)
    return (decibels - mean) / deviation.clamp(min=1e-6)


def _check(sample_rate: int, n_fft: int, win_length: int, fmin: float, fmax: float) -> None:
    if not 1 <= win_length <= n_fft:
        raise UserError(f"data.features.win_length={win_length}: choose 1..n_fft={n_fft}.")
    if not 0 <= fmin < fmax <= sample_rate / 2:
        raise UserError(
            f"features: fmin={fmin:g} and fmax={fmax:g} Hz; "
            f"choose 0 <= fmin < fmax <= sample_rate/2={sample_rate / 2:g}"
        )
